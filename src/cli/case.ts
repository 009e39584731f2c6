import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { CasesReader, type CaseInFull } from '../cases/cases-reader.service.js';
import { caseDetails, stepView } from '../cases/cases-views.js';
import { FINISHED, type StepState } from '../cases/step-states.js';
import { returnView } from '../devices/returns/returns-views.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

const GLYPHS: Record<StepState, string> = {
  planned: '○',
  held: '‖',
  ready: '◔',
  running: '◑',
  confirming: '◕',
  done: '●',
  needs_human: '▲',
  superseded: '⤼',
  waived: '⊘',
};
const LOOK_AGAIN_MS = 250;

export const addCase: AddCommand = (program, { actor, out, withServices }) => {
  program
    .command('case <id>')
    .description('show a case: each step, when it was requested, sent and confirmed')
    .option('--watch', 'go on, one line for each change, until the case is closed or only people are left to act')
    .option('--json', 'print all of it, with each call that was made, for a program')
    .action(async (id: string, options: { watch?: boolean; json?: boolean }) => {
      if (!z.uuid().safeParse(id).success) throw new CommandFailure('That is no id of a case.', EXIT.usage);
      await withServices(async (services) => {
        const reader = services.get(CasesReader);
        let seen = await reader.inFull(actor, id);
        if (options.json) return out(JSON.stringify(caseDetails(seen, actor), null, 2));
        out(headline(seen));
        const shown = new Map<string, string>();
        for (;;) {
          for (const step of seen.steps) {
            const line = lineOf(step);
            if (shown.get(step.id) !== line) out(line);
            shown.set(step.id, line);
          }
          if (!options.watch || seen.case.state === 'closed' || onlyPeopleLeft(seen)) break;
          await pause(LOOK_AGAIN_MS);
          seen = await reader.inFull(actor, id);
        }
        for (const line of outstanding(seen)) out(line);
        out(ending(seen));
      });
    });
};

function headline({ case: { kind, lane, openedBy, openedAt } }: CaseInFull): string {
  return `${kind.replace('_', ' ')} · ${lane} lane · opened ${openedAt.toISOString()} by ${openedBy}`;
}

function lineOf(step: CaseInFull['steps'][number]): string {
  const times = [
    `requested ${clock(step.requestedAt)}`,
    step.sentAt && `sent ${clock(step.sentAt)}`,
    step.confirmedAt &&
      `${step.attestedBy === null ? 'confirmed' : `done, as ${step.attestedBy} says,`} ${clock(step.confirmedAt)}`,
    step.residualUntil && `residual until ${clock(step.residualUntil)}`,
    step.state === 'needs_human' && `${step.owner} by ${step.deadline?.toISOString()}`,
    step.reason,
    step.state === 'needs_human' && `step ${step.id}`,
  ].filter(Boolean);
  const state = `${GLYPHS[step.state]} ${step.state.replace('_', ' ')}`;
  const { grant } = stepView(step);
  const act = grant ? `${step.act} ${grant.kind} ${grant.name}` : step.act.replaceAll('_', ' ');
  return `${state.padEnd(14)} ${act.padEnd(18)} ${step.toolName.padEnd(20)} ${times.join(' · ')}`;
}

function clock(instant: Date): string {
  return instant.toISOString().slice(11, 23);
}

function onlyPeopleLeft({ steps }: CaseInFull): boolean {
  return steps.every(({ state }) => FINISHED.includes(state) || state === 'needs_human' || state === 'planned');
}

function outstanding({ returns }: CaseInFull): string[] {
  return returns
    .map(returnView)
    .filter((one) => one.outstanding)
    .map(
      ({ assetTag, state, askedAt, id }) =>
        `▲ the device ${assetTag} isn't back: ${state}, asked for ${askedAt} · return ${id}`,
    );
}

function ending({ case: { state, closedAt }, steps }: CaseInFull): string {
  if (state === 'closed') return `closed ${closedAt?.toISOString()}`;
  const left = steps.filter((step) => !FINISHED.includes(step.state));
  return `open: ${left.length} of ${steps.length} steps are left, ${left.filter((step) => step.state === 'needs_human').length} of them need a person`;
}
