import { z } from 'zod';

/** One row of an answer. osquery writes every value as text; with `--log_numerics_as_numbers` some as numbers. */
export type Row = Readonly<Record<string, string>>;

/** A row as it came, or why it can't be read. */
export type RowRead = { row: Row } | { unreadable: string };

const RowShape = z.record(
  z.string().max(100),
  z.union([z.string().max(2_000), z.number(), z.null()]).transform((value) => (value === null ? '' : String(value))),
);

/** Each row by itself: one that can't be read takes no other with it. */
export function readRows(rows: readonly unknown[]): RowRead[] {
  return rows.map((row) => {
    const read = RowShape.safeParse(row);
    if (read.success) {
      const columns = Object.entries(read.data).map(([name, value]) => [keepable(name), keepable(value)] as const);
      return { row: Object.fromEntries(columns) };
    }
    const { message = 'it is no row', path = [] } = read.error.issues[0] ?? {};
    return { unreadable: keepable([...path.map(String), message].join(': ')) };
  });
}

/**
 * The text without what PostgreSQL can't keep: NUL, and halves of surrogate pairs. An agent whose report is refused for one
 * sends it again for ever, and nothing else of it arrives.
 */
export function keepable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
