import type { CaseStep, StepState } from '../api/types.js';
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

/** A step, as far as it tells how it stands. */
type Standing = Pick<CaseStep, 'state' | 'attestedBy'>;

export interface Looks {
  shape: string;
  tone: Tone;
  word: string;
}

/** Whether it is done as somebody says, at a tool that can't show it. */
export function isOnWord({ state, attestedBy }: Standing): boolean {
  return state === 'done' && attestedBy !== null;
}

/** How a step looks: what a person vouches for isn't what a tool has shown, so it is never good. */
export function stepLooks(step: Standing): Looks {
  if (isOnWord(step)) return { shape: '◉', tone: 'over', word: text.states.onWord };
  return { ...STEP_STATE_LOOKS[step.state], word: text.states.step[step.state] };
}

const FINISHED: ReadonlySet<StepState> = new Set(['done', 'superseded', 'waived']);

/** Whether nothing more will happen to it. */
export function isFinished(state: StepState): boolean {
  return FINISHED.has(state);
}

export interface Progress {
  done: number;
  /** Of those that are done: as somebody says, and no tool can show. */
  onWord: number;
  all: number;
  needsHuman: number;
  /** In words, as in `6 of 8 done, 1 of them on a person’s word, 1 needs a person`. */
  words: string;
}

/** What was superseded isn't counted: nobody waits for it. */
export function progressOf(steps: readonly Standing[]): Progress {
  const counted = steps.filter(({ state }) => state !== 'superseded');
  const done = counted.filter(({ state }) => state === 'done').length;
  const onWord = counted.filter(isOnWord).length;
  const needsHuman = counted.filter(({ state }) => state === 'needs_human').length;
  const words = text.states.progress(done, counted.length, onWord, needsHuman);
  return { done, onWord, all: counted.length, needsHuman, words };
}
