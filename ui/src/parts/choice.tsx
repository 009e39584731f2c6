import type { ReactNode } from 'react';
import { NativeSelect } from '@mantine/core';
import { text } from '../text/text.js';

interface Props<T extends string> {
  label: string;
  value: T | undefined;
  values: readonly T[];
  words: Readonly<Record<T, string>>;
  onChange: (value: T | undefined) => void;
}

/** A filter by one of some known words, or by none. */
export function Choice<T extends string>({ label, value, values, words, onChange }: Props<T>): ReactNode {
  return (
    <NativeSelect
      label={label}
      value={value ?? ''}
      onChange={(event) => onChange(values.find((one) => one === event.currentTarget.value))}
      data={[{ value: '', label: text.all }, ...values.map((one) => ({ value: one, label: words[one] }))]}
    />
  );
}
