import type { CaseSeen, StepSeen } from './api-shapes.js';
import { actInWords } from './follow-case.js';
import { clock, duration, glyph, paint, type Terminal } from './terminal.js';

/** Each step of a case, in the order in which they were sent: when it was requested, sent and confirmed. */
export function printTimeline(terminal: Terminal, { steps }: CaseSeen): void {
  terminal.line('');
  terminal.detail(`${''.padEnd(20)}${''.padEnd(28)}${'requested'.padEnd(15)}${'sent'.padEnd(12)}confirmed`);
  const order = ({ sentAt }: StepSeen) => sentAt ?? '9999';
  for (const step of steps.toSorted((a, b) => order(a).localeCompare(order(b)))) {
    const { toolName, requestedAt, sentAt, confirmedAt, state } = step;
    const confirmed = confirmedAt ? after(requestedAt, confirmedAt) : state === 'needs_human' ? 'not done' : state;
    const name = `${toolName.padEnd(20)}${actInWords(step).padEnd(28)}`;
    const times = `${clock(requestedAt).padEnd(15)}${(sentAt ? after(requestedAt, sentAt) : '–').padEnd(12)}`;
    terminal.item(glyph(state), `${name}${times}${state === 'done' ? confirmed : paint('yellow', confirmed)}`);
  }
  terminal.line('');
}

function after(from: string, to: string): string {
  return `+${duration(Date.parse(to) - Date.parse(from))}`;
}

/** Accounts whose suspension isn't shown as requested, then sent, then confirmed. */
export function outOfOrder(steps: readonly StepSeen[]): StepSeen[] {
  return steps
    .filter(({ act }) => act === 'suspend_account')
    .filter(({ requestedAt, sentAt, confirmedAt }) => {
      const [requested, sent, confirmed] = [requestedAt, sentAt ?? '', confirmedAt ?? ''].map((at) => Date.parse(at));
      return !(Number(requested) < Number(sent) && Number(sent) < Number(confirmed));
    });
}
