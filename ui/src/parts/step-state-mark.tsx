import type { ReactNode } from 'react';
import type { StepState } from '../api/types.js';
import { STEP_STATE_LOOKS, type Tone } from '../states/step-states.js';
import { text } from '../text/text.js';

/** A shape and a word; the colour says the same once more. */
export function Mark({ shape, tone, word }: { shape: string; tone: Tone; word: string }): ReactNode {
  return (
    <span className={`mark mark-${tone}`}>
      <span className="mark-shape" aria-hidden="true">
        {shape}
      </span>
      <span>{word}</span>
    </span>
  );
}

export function StepStateMark({ state }: { state: StepState }): ReactNode {
  return <Mark {...STEP_STATE_LOOKS[state]} word={text.states.step[state]} />;
}

/** One shape for each step, in their order; read out as a sentence. */
export function ProgressMarks({ states, words }: { states: readonly StepState[]; words: string }): ReactNode {
  const shown = states.slice(0, 24);
  return (
    <span className="progress-marks" role="img" aria-label={words} title={words}>
      {shown.map((state, index) => (
        <span key={index} className={`mark-${STEP_STATE_LOOKS[state].tone}`}>
          {STEP_STATE_LOOKS[state].shape}
        </span>
      ))}
      {states.length > shown.length && ` +${states.length - shown.length}`}
    </span>
  );
}
