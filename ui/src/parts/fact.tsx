import type { ReactNode } from 'react';

/** One of a list of facts (`dl`): its name, and what it is. */
export function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
