import { Random } from './random.js';

/** What is done to the service: the rows of the table of faults, in its order; `catalogue.ts` has the variants of each. */
export const ROWS = [
  'worker killed',
  'worker frozen',
  'executed, seen as a time-out',
  'Redis gone',
  'half-open sockets',
  'PostgreSQL gone',
  'PostgreSQL crowded',
  'a write refused',
  'disk full',
  'a tool storms',
  'a strange answer',
  'success that is none',
  'events out of order',
  'a wrong clock',
  'news during a cut',
  'a poisonous step',
  'two versions',
  'a crowd leaves',
] as const;
export type Row = (typeof ROWS)[number];

export interface Slot {
  row: Row;
  /** How often the row came before, over all seeds: its variants take turns by it. */
  turn: number;
}

/** Three to six faults. */
const SIZES = [3, 3, 3, 3, 4, 4, 4, 5, 5, 6];

function sizeOf(seed: number): number {
  return new Random(`size of ${seed}`).pick(SIZES);
}

/**
 * The faults of a seed, from 1 on. The rows are dealt out like cards, and shuffled anew when all were dealt, so that any
 * twenty seeds in a row meet each of them; a schedule depends on nothing but its seed.
 */
export function drawSlots(seed: number): Slot[] {
  let dealt = 0;
  for (let earlier = 1; earlier < seed; earlier += 1) dealt += sizeOf(earlier);
  return Array.from({ length: sizeOf(seed) }, (_, index) => {
    const turn = Math.floor((dealt + index) / ROWS.length);
    const deck = new Random(`deck ${turn}`).shuffle(ROWS);
    return { row: deck[(dealt + index) % ROWS.length] as Row, turn };
  });
}
