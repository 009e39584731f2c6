import type { ObservedComputer } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { within } from '../platform/lifecycle/within.js';

/** Milliseconds for what is known of one computer. */
export const COMPUTER_MS = 10_000;
/** So many in a row that can't be read are the manager's own trouble. */
const MOST_IN_A_ROW = 10;

/** The computers of which the manager couldn't tell. */
export interface Unread {
  count: number;
  inARow: number;
  newest: ToolError | null;
}

/**
 * What a manager tells of these computers, one after the other and each in a time of its own. One of which it
 * can't tell is counted and takes no other with it; one that was deleted since it was listed is left out.
 *
 * @throws ToolError for what isn't about one computer, and for too many of them in a row
 */
export async function* readComputers<Listed extends { computer: ObservedComputer }, Told extends object | null>(
  listed: readonly Listed[],
  read: (one: Listed) => Promise<Told>,
  unread: Unread,
  computerMs = COMPUTER_MS,
): AsyncGenerator<{ one: Listed; told: Told }> {
  for (const one of listed) {
    const late = new ToolError('transient', `It told nothing of “${one.computer.name}” within ${computerMs} ms.`);
    const answer = await within(computerMs, read(one), late).catch(toolError);
    if (!(answer instanceof ToolError)) {
      unread.inARow = 0;
      yield { one, told: answer };
    } else if (answer.kind === 'invalid' || answer.kind === 'transient') {
      unread.count += 1;
      unread.inARow += 1;
      unread.newest = answer;
      if (unread.inARow === MOST_IN_A_ROW) throw answer;
    } else if (answer.kind !== 'not-found') throw answer;
  }
}

function toolError(error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  throw error;
}
