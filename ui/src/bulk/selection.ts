/** Which rows of a list are chosen, and from which of them a range would reach. */
export interface Selection {
  ids: ReadonlySet<string>;
  anchor: string | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

/** Chosen if it wasn't, and the other way round. */
export function toggled({ ids }: Selection, id: string): Selection {
  const others = [...ids].filter((one) => one !== id);
  return { ids: new Set(ids.has(id) ? others : [...others, id]), anchor: id };
}

/** Everything from the row that was touched last to this one. @param order ids of all rows as they are shown */
export function upTo(selection: Selection, id: string, order: readonly string[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from === -1 || to === -1) return toggled(selection, id);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: id };
}

/** What was done is chosen no more. */
export function without({ ids, anchor }: Selection, done: string): Selection {
  return { ids: new Set([...ids].filter((id) => id !== done)), anchor };
}
