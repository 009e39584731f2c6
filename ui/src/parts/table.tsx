import type { ReactNode } from 'react';
import { ChooseRow } from '../bulk/choose-row.js';
import type { RowSelection } from '../bulk/use-selection.js';
import { text } from '../text/text.js';

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  rows: readonly T[];
  /** The first one says what a row is. */
  columns: readonly Column<T>[];
  /** Each row has a box to choose it by, called by its name. */
  choosing?: { selection: RowSelection<T>; nameOf: (row: T) => string } | undefined;
}

/** Rows under the names of their columns; on a phone each row is a card whose cells are named by their column. */
export function Table<T extends { id: string }>({ rows, columns, choosing }: Props<T>): ReactNode {
  return (
    <table className="table">
      <thead>
        <tr>
          {choosing && (
            <th scope="col">
              <span className="visually-hidden">{text.bulk.chosenColumn}</span>
            </th>
          )}
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
            {choosing && (
              <td className="choose-cell">
                <ChooseRow id={row.id} name={choosing.nameOf(row)} selection={choosing.selection} />
              </td>
            )}
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
