import { z } from 'zod';
import { LossReader } from '../lost-devices/loss-reader.service.js';
import { lossView } from '../lost-devices/losses-views.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

type LossView = ReturnType<typeof lossView>;

export const addLoss: AddCommand = (program, { actor, out, withServices }) => {
  program
    .command('loss <case-id>')
    .description(
      'show where a lost laptop stands: tasks and who is due, what is proposed and decided, the breach worksheet',
    )
    .option('--json', 'print all of it, for a program')
    .action(async (caseId: string, { json }: { json?: boolean }) => {
      if (!z.uuid().safeParse(caseId).success) throw new CommandFailure('That is no id of a case.', EXIT.usage);
      const loss = lossView(await withServices((services) => services.get(LossReader).inFull(actor, caseId)));
      if (json) return out(JSON.stringify(loss, null, 2));
      for (const line of linesOf(loss)) out(line);
    });
};

function linesOf({
  tasks,
  proposal,
  decision,
  caseId,
  whyNot,
  givers,
  commands,
  worksheet,
  assessment,
  lastSignAt,
  watchUntil,
}: LossView): string[] {
  return [
    ...tasks.map(({ title, owner, dueAt, doneAt, doneBy }) =>
      doneAt === null ? `○ ${title} · ${owner} by ${dueAt}` : `● ${title} · ${doneBy} at ${doneAt}`,
    ),
    '',
    ...(decision
      ? [
          `decided: ${decision.containment} (proposed: ${decision.proposed ?? 'nothing'}) by ${decision.decidedBy}: ${decision.reason}`,
        ]
      : proposal
        ? [`proposed: ${proposal.propose}. ${proposal.because}`, ...proposal.facts.map((fact) => `  ${fact}`)]
        : ['This loss follows no runbook: none was activated when it was reported.']),
    ...(decision ? [] : [giverLine('lock', givers.lock), giverLine('wipe', givers.wipe)]),
    ...commands.flatMap(({ kind, state, id, events, givenBy, verifiedBy, tool, problem, needsPerson }) => [
      `${kind}: ${state.replace('_', ' ')}${verifiedBy === 'word' ? ' on somebody’s word' : ''} since ${events.at(-1)?.seenAt}, given ${givenBy === 'hand' ? 'by hand' : `by the service at “${tool}”`} · command ${id}`,
      ...(problem === null ? [] : [`  ${needsPerson ? '▲ needs a person: ' : ''}${problem}`]),
    ]),
    ...(whyNot.unlock === null && !isUnlocked(commands)
      ? [`it is back: quartermaster unlock-laptop ${caseId} "how you know"`]
      : []),
    lastSignAt === null ? `no sign of it since; watched until ${watchUntil}` : `▲ it gave a sign at ${lastSignAt}`,
    '',
    assessment
      ? `breach: ${assessment.decision.replace('_', ' ')}, decided by ${assessment.decidedBy}: ${assessment.reason}`
      : `breach: to be assessed by ${worksheet.notifyBy}`,
    `encryption shown: ${worksheet.encryption.shown}. ${worksheet.encryption.because}`,
    ...worksheet.reachable.map(({ tool, username, cut }) => `  ${tool} (${username}): ${cut}`),
    ...worksheet.unknowns.map((unknown) => `  not known: ${unknown}`),
  ];
}

function isUnlocked(commands: LossView['commands']): boolean {
  const newest = commands.at(-1);
  return newest?.kind === 'unlock' && newest.state !== 'failed';
}

function giverLine(kind: string, { by, tool, only, because }: LossView['givers']['lock']): string {
  if (by === 'hand') return `a ${kind} would be given by hand: ${because}`;
  return `a ${kind} would be given by the service at “${tool}”${only === null ? '' : ` (${only})`}`;
}
