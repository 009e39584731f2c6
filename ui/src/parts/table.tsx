import type { ReactNode } from 'react';

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  rows: readonly T[];
  /** The first one says what a row is. */
  columns: readonly Column<T>[];
}

/** Rows under the names of their columns; on a phone each row is a card whose cells are named by their column. */
export function Table<T extends { id: string }>({ rows, columns }: Props<T>): ReactNode {
  return (
    <table className="table">
      <thead>
        <tr>
          {columns.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id} data-row tabIndex={-1}>
            {columns.map(({ name, cell }, index) =>
              index === 0 ? (
                <th key={name} scope="row">
                  {cell(row)}
                </th>
              ) : (
                <td key={name} data-label={name}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
