/** The list with the one at this place before its neighbour. */
export function movedUp<T>(list: readonly T[], at: number): T[] {
  const one = list[at];
  return one === undefined || at === 0 ? [...list] : without(list, at).toSpliced(at - 1, 0, one);
}

export function without<T>(list: readonly T[], at: number): T[] {
  return list.toSpliced(at, 1);
}

/** The list with this one at the place; behind the last it is added. */
export function replaced<T>(list: readonly T[], at: number, one: T): T[] {
  return list.toSpliced(at, 1, one);
}
