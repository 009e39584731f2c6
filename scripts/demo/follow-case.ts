import { setTimeout as pause } from 'node:timers/promises';
import type { StepState } from '../../src/cases/step-states.js';
import { CaseSeen, type StepSeen } from './api-shapes.js';
import { ADMIN } from './register-tools.js';
import { NotProved } from './report.js';
import type { Stage } from './stage.js';
import { duration, glyph, paint } from './terminal.js';

const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 60;
const FINISHED: readonly StepState[] = ['done', 'superseded', 'waived'];

const ACTS: Readonly<Record<StepSeen['act'], string>> = {
  discover: 'looked for accounts',
  create_account: 'account made',
  grant: 'group or role given',
  restore_account: 'let in again',
  suspend_account: 'suspended',
  withdraw: 'group or role taken',
  reset_credentials: 'new credentials',
  revoke_device: 'one device ended',
  final_look: 'last look: nothing works',
};

export function actInWords({ act }: Pick<StepSeen, 'act'>): string {
  return ACTS[act];
}

/**
 * Shows a case's steps as they end, and answers the case when nothing goes on by itself any more: all is confirmed but
 * for what waits for a person at the tool without an API. What `before` showed already isn't shown again.
 *
 * @throws {NotProved} when a step of another tool needs a human, or when it takes too long
 */
export async function followCase(stage: Stage, caseId: string, before?: CaseSeen): Promise<CaseSeen> {
  const { api, report, terminal, signal, tools } = stage;
  const startedAt = performance.now();
  const told = new Set(before?.steps.map(keyOf));
  for (;;) {
    const seen = await api.get(`/v1/cases/${caseId}`, CaseSeen);
    report.keepCase(seen);
    for (const step of seen.steps) {
      const isNews = FINISHED.includes(step.state) || step.state === 'needs_human';
      if (!isNews || told.has(keyOf(step))) continue;
      told.add(keyOf(step));
      tellStep(stage, step);
      if (step.state === 'needs_human' && step.toolId !== tools['badge-office']) {
        throw new NotProved(`${step.toolName}, ${actInWords(step)}: it needs a human. ${step.reason ?? ''}`);
      }
    }
    const elapsed = performance.now() - startedAt;
    const isAtRest = ({ state, toolId }: StepSeen) =>
      FINISHED.includes(state) ||
      (toolId === tools['badge-office'] && (state === 'needs_human' || state === 'planned'));
    if (seen.steps.every(isAtRest)) return seen;
    const states = seen.steps.map(({ state }) => glyph(state)).join('');
    terminal.now(`${states}  ${duration(elapsed)}`);
    if (elapsed > LIMIT_MS) {
      const open = seen.steps.filter((step) => !isAtRest(step));
      const where = open.map(
        (step) => `${step.toolName}: ${step.act} is ${step.state}${step.reason ? ` (${step.reason})` : ''}`,
      );
      throw new NotProved(`The ${seen.kind} case came to no rest within ${LIMIT_MS / 1_000} s. ${where.join('; ')}`);
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

function keyOf({ id, state }: StepSeen): string {
  return `${id} ${state}`;
}

function tellStep({ terminal, tools }: Stage, step: StepSeen): void {
  const text = `${step.toolName.padEnd(20)}${actInWords(step)}`;
  if (step.state === 'needs_human') {
    const due = step.deadline ? `due ${dueTime(step.deadline)}` : 'no deadline';
    terminal.item(glyph(step.state), `${step.toolName.padEnd(20)}${paint('yellow', 'not done: a task for a person')}`);
    terminal.detail(`${''.padEnd(20)}${taskOf(step)}`);
    terminal.detail(`${''.padEnd(20)}owner ${step.owner ?? 'nobody'}, ${due}`);
    return;
  }
  terminal.item(glyph(step.state), text, step.toolId === tools['badge-office'] ? `attested by ${ADMIN}` : endOf(step));
}

function dueTime(instant: string): string {
  return new Date(instant).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
}

function endOf({ state, requestedAt, confirmedAt }: StepSeen): string {
  return confirmedAt ? `confirmed after ${duration(Date.parse(confirmedAt) - Date.parse(requestedAt))}` : state;
}

/** The first sentence of what is to be done; the lines are where, what, evidence, notes. */
function taskOf({ reason }: StepSeen): string {
  const what = reason?.split('\n')[1] ?? reason ?? '';
  return what.split(/(?<=[.;]) /)[0] ?? what;
}
