import { useState } from 'react';
import { NOTHING, toggled, upTo, without } from './selection.js';

export interface RowSelection<T> {
  /** In the order in which they are shown; a row that the list lost is chosen no more. */
  chosen: readonly T[];
  isChosen: (id: string) => boolean;
  /** @param isRange everything up to this one */
  choose: (id: string, isRange: boolean) => void;
  chooseAll: () => void;
  chooseNone: () => void;
  drop: (id: string) => void;
}

/** @param rows all that are loaded */
export function useSelection<T extends { id: string }>(rows: readonly T[]): RowSelection<T> {
  const [selection, setSelection] = useState(NOTHING);
  const order = rows.map(({ id }) => id);
  return {
    chosen: rows.filter(({ id }) => selection.ids.has(id)),
    isChosen: (id) => selection.ids.has(id),
    choose: (id, isRange) => setSelection((before) => (isRange ? upTo(before, id, order) : toggled(before, id))),
    chooseAll: () => setSelection({ ids: new Set(order), anchor: null }),
    chooseNone: () => setSelection(NOTHING),
    drop: (id) => setSelection((before) => without(before, id)),
  };
}
