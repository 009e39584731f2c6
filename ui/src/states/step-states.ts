import type { StepState } from '../api/types.js';
import { text } from '../text/text.js';

export type Tone = 'good' | 'bad' | 'busy' | 'waiting' | 'over';

/** The engine's own states, each by a shape and a tone beside its word; nothing but `done` is good. */
export const STEP_STATE_LOOKS = {
  planned: { shape: '○', tone: 'waiting' },
  held: { shape: '‖', tone: 'waiting' },
  ready: { shape: '◔', tone: 'busy' },
  running: { shape: '◑', tone: 'busy' },
  confirming: { shape: '◕', tone: 'busy' },
  done: { shape: '●', tone: 'good' },
  needs_human: { shape: '▲', tone: 'bad' },
  superseded: { shape: '⤼', tone: 'over' },
  waived: { shape: '⊘', tone: 'over' },
} as const satisfies Record<StepState, { shape: string; tone: Tone }>;

const FINISHED: ReadonlySet<StepState> = new Set(['done', 'superseded', 'waived']);

/** Whether nothing more will happen to it. */
export function isFinished(state: StepState): boolean {
  return FINISHED.has(state);
}

export interface Progress {
  done: number;
  all: number;
  needsHuman: number;
  /** In words, as in `6 of 8 done, 1 needs a person`. */
  words: string;
}

/** What was superseded isn't counted: nobody waits for it. */
export function progressOf(steps: readonly { state: StepState }[]): Progress {
  const counted = steps.filter(({ state }) => state !== 'superseded');
  const done = counted.filter(({ state }) => state === 'done').length;
  const needsHuman = counted.filter(({ state }) => state === 'needs_human').length;
  return { done, all: counted.length, needsHuman, words: text.states.progress(done, counted.length, needsHuman) };
}
