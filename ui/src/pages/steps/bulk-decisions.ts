import type { Step } from '../../api/types.js';
import type { Preview } from '../../bulk/bulk-dialog.js';
import { text } from '../../text/text.js';

export type BulkDecision = 'retry' | 'waive';

/** A tool as far as a decision about its steps depends on it. */
export interface StepTool {
  name: string;
  /** No API: a person does everything there. */
  isByHand: boolean;
  isPaused: boolean;
}

type Decided = Pick<Step, 'state' | 'personId' | 'attestedBy'>;

/**
 * What comes of deciding about a step together with others.
 *
 * @param tool undefined where it may not be read
 * @param callerPersonId who decides, where that is known: nobody decides about their own access
 */
export function previewDecision(
  { state, personId, attestedBy }: Decided,
  decision: BulkDecision,
  tool: StepTool | undefined,
  callerPersonId: string | null,
): Preview {
  const words = text.duties;
  if (state !== 'needs_human') return { cannot: words.isNow(text.states.step[state]) };
  if (personId === callerPersonId) return { cannot: words.own };
  // Trying again, or waiving, throws away what they said.
  if (attestedBy !== null) return { cannot: words.attested(attestedBy) };
  const name = tool?.name ?? text.accounts.someTool;
  if (decision === 'waive') return { will: words.willWaive(name) };
  if (tool?.isByHand) return { cannot: words.byHand(name) };
  return { will: tool?.isPaused ? words.willRetryPaused(name) : words.willRetry(name) };
}
