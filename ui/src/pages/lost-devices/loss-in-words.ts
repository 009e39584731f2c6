import type { CaseDetails } from '../../api/types.js';
import { progressOf } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { duration } from '../../time/relative-time.js';

type Loss = Pick<CaseDetails, 'state' | 'openedAt' | 'closedAt'> & {
  steps: readonly Pick<CaseDetails['steps'][number], 'state' | 'attestedBy' | 'residualUntil'>[];
};

/** One sentence for who has to say on the phone how it stands: never better than what the tools have shown. */
export function lossInWords({ state, openedAt, closedAt, steps }: Loss, now: number): string {
  const { needsHuman, onWord } = progressOf(steps);
  const waived = steps.filter((step) => step.state === 'waived').length;
  const residuals = steps.filter(({ residualUntil }) => residualUntil !== null && Date.parse(residualUntil) > now);
  if (needsHuman > 0) return text.lostLaptop.waitsForPeople(needsHuman);
  if (state === 'open' || closedAt === null) return text.lostLaptop.goes;
  if (waived > 0) return text.lostLaptop.cutButWaived(waived);
  const took = duration(Date.parse(closedAt) - Date.parse(openedAt));
  if (residuals.length > 0) return text.lostLaptop.cutWithResiduals(took, onWord, residuals.length);
  return onWord > 0 ? text.lostLaptop.cutOnWord(took, onWord) : text.lostLaptop.allCut(took);
}
