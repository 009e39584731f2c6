import type { Return } from '../api/types.js';
import type { Tone } from './step-states.js';

type State = Return['state'];

/** How a return stands; only what somebody has looked at is good. */
export const RETURN_LOOKS = {
  asked: { shape: '○', tone: 'waiting' },
  sent: { shape: '◑', tone: 'busy' },
  received: { shape: '◕', tone: 'busy' },
  inspected: { shape: '●', tone: 'good' },
  written_off: { shape: '⊘', tone: 'over' },
} as const satisfies Record<State, { shape: string; tone: Tone }>;

/** Where a return may go from where it is, as the server has it. */
export const RETURN_MOVES = {
  asked: ['sent', 'received', 'written_off'],
  sent: ['received', 'written_off'],
  received: ['inspected'],
  inspected: [],
  written_off: [],
} as const satisfies Record<State, readonly State[]>;

export type ReturnMove = (typeof RETURN_MOVES)[State][number];
