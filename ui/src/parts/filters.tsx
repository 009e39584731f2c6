import type { ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { useTyped } from './use-typed.js';

/** What narrows a list; each filter is kept in the page's address. */
export function Filters({ children }: { children: ReactNode }): ReactNode {
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}

interface Props {
  label: string;
  /** As the address has it. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A filter by text, which the address keeps while somebody types. */
export function TypedFilter({ label, value, onChange }: Props): ReactNode {
  const [typed, setTyped] = useTyped(value ?? '', (kept) => onChange(kept === '' ? undefined : kept));
  return (
    <TextInput
      label={label}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      type="search"
      autoComplete="off"
    />
  );
}
