import type { ReactNode } from 'react';
import type { CaseDetails } from '../../api/types.js';
import { Mark } from '../../parts/step-state-mark.js';
import { progressOf } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { duration } from '../../time/relative-time.js';
import { useNow } from '../../time/use-now.js';

/** How far a case is: what the tools have shown, what waits for a person, and how long it takes. */
export function CaseHead({ details }: { details: CaseDetails }): ReactNode {
  const isOpen = details.state === 'open';
  const now = useNow(isOpen ? 1_000 : null);
  const { done, onWord, all, needsHuman, words } = progressOf(details.steps);
  const shown = done - onWord;
  const took = (details.closedAt === null ? now : Date.parse(details.closedAt)) - Date.parse(details.openedAt);
  return (
    <div className="case-head">
      <p className="case-count" role="status">
        <strong>
          {shown} / {all}
        </strong>{' '}
        <span className="visually-hidden">{words}</span>
        <span aria-hidden="true">{text.cases.confirmedByTools(onWord)}</span>
      </p>
      <progress value={shown} max={Math.max(1, all)} aria-label={words} />
      <p className="row">
        {isOpen ? (
          <Mark shape="◑" tone="busy" word={text.cases.state.open} />
        ) : (
          // Closed isn't done: what was waived, or is on a person's word, no tool has shown.
          <Mark shape="●" tone={shown === all ? 'good' : 'over'} word={text.cases.state.closed} />
        )}
        <span className="dim">{isOpen ? text.cases.since(duration(took)) : text.cases.took(duration(took))}</span>
        {needsHuman > 0 && <Mark shape="▲" tone="bad" word={text.cases.needHuman(needsHuman)} />}
      </p>
    </div>
  );
}
