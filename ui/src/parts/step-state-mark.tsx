import type { ReactNode } from 'react';
import type { CaseStep } from '../api/types.js';
import { stepLooks, type Tone } from '../states/step-states.js';

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

export function StepStateMark({ step }: { step: CaseStep }): ReactNode {
  return <Mark {...stepLooks(step)} />;
}

/** One shape for each step, in their order; read out as a sentence. */
export function ProgressMarks({ steps, words }: { steps: readonly CaseStep[]; words: string }): ReactNode {
  const shown = steps.slice(0, 24).map(stepLooks);
  return (
    <span className="progress-marks" role="img" aria-label={words} title={words}>
      {shown.map(({ shape, tone }, index) => (
        <span key={index} className={`mark-${tone}`}>
          {shape}
        </span>
      ))}
      {steps.length > shown.length && ` +${steps.length - shown.length}`}
    </span>
  );
}
