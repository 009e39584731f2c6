import type { ReactNode } from 'react';
import { text } from '../text/text.js';
import { ClockTime, Instant } from '../time/instant.js';
import { useNow } from '../time/use-now.js';

/** Until when a tool may still honour what was issued before the cut; afterwards, that it might have. */
export function Residual({ until }: { until: string }): ReactNode {
  const isOver = Date.parse(until) <= useNow(1_000);
  return (
    <span className={isOver ? 'small dim' : 'residual'}>
      <span aria-hidden="true">◷ </span>
      {isOver ? text.cases.residualOver : text.cases.residual} <ClockTime at={until} />
      {!isOver && (
        <>
          {', '}
          <Instant at={until} />
        </>
      )}
    </span>
  );
}
