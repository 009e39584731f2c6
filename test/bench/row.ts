import type { Spread } from './statistics.js';

/** A figure has to be at most, or at least, this. */
export type Bound = { most: number } | { least: number };

/** One line of the table: a figure that was taken, held against what was promised. */
export interface Row {
  name: string;
  figure: number;
  unit: string;
  /** The first column: without it the bench fails. */
  bound: Bound;
  /** The second column; null when there is none. */
  aim: Bound | null;
  /** Of the repetitions (or blocks of them) behind the figure. */
  spread: Spread;
  /** How many single events the figure is of. */
  samples: number;
  /** What was measured beside it, and whatever a reader must know of how it was taken. */
  notes: string[];
  /** Why the figure doesn't count although it is within its bound: too few losses, not all of the steps. */
  short?: string;
}

export function isWithin(figure: number, bound: Bound): boolean {
  return 'most' in bound ? figure <= bound.most : figure >= bound.least;
}

export type Verdict = 'met' | 'missed' | 'short';

/** `short`: within its bound, but of fewer or smaller than was promised, so nothing is shown yet. */
export function verdictOn(row: Row): Verdict {
  if (!isWithin(row.figure, row.bound)) return 'missed';
  return row.short === undefined ? 'met' : 'short';
}
