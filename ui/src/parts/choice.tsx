import type { ReactNode } from 'react';
import { NativeSelect } from '@mantine/core';
import { text } from '../text/text.js';

interface Props<T extends string> {
  label: string;
  value: T | undefined;
  values: readonly T[];
  words: Readonly<Record<T, string>>;
  /** What choosing none is called. */
  none?: string;
  onChange: (value: T | undefined) => void;
}

/** One of some known words, or none: as a filter, all of them. */
export function Choice<T extends string>({
  label,
  value,
  values,
  words,
  none = text.all,
  onChange,
}: Props<T>): ReactNode {
  return (
    <NativeSelect
      label={label}
      value={value ?? ''}
      onChange={(event) => onChange(values.find((one) => one === event.currentTarget.value))}
      data={[{ value: '', label: none }, ...values.map((one) => ({ value: one, label: words[one] }))]}
    />
  );
}
