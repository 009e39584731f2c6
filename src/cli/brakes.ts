import type { Command } from 'commander';
import { z } from 'zod';
import type { ApprovalAct } from '../approvals/approval.entity.js';
import { BrakeDecisions } from '../brakes/brake-decisions.service.js';
import { BrakeLimitEdits, LimitWish } from '../brakes/brake-limit-edits.service.js';
import { BrakeLimits } from '../brakes/brake-limits.service.js';
import { BrakesReader, type HeldPlanStep } from '../brakes/brakes-reader.service.js';
import { LIMIT_KINDS } from '../brakes/decide-brake.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { printRequest, reasonIn } from './print-request.js';

const LISTED = 100;

/** What somebody did too much of within an hour, and what is done about it. */
export const addBrakes: AddCommand = (program, context) => {
  const { actor, out, withServices } = context;
  const brakes = program
    .command('brakes')
    .description('mass changes that are held until two people decide: list, show, release, discard, limits');
  brakes
    .command('list')
    .description('show the brakes that stand; with --all those that are over as well')
    .option('--all', 'those that are over, too')
    .action(async ({ all }: { all?: boolean }) => {
      const state = all ? undefined : ('standing' as const);
      const found = await withServices((services) =>
        services.get(BrakesReader).list(actor, { state }, { before: null, limit: LISTED }),
      );
      if (found.length === 0) out('No brake stands.');
      for (const { id, kind, source, state: is, people, allowed, since } of found) {
        out(`${id}  ${is}  ${people} ${kind} by ${source} held, ${allowed} an hour pass  since ${since.toISOString()}`);
      }
    });
  brakes
    .command('show <id>')
    .description('show whom a brake holds, and each step that would be taken')
    .option('--json', 'for a program')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const { brake, people } = await withServices((services) => services.get(BrakeDecisions).show(actor, brakeId(id)));
      if (json) return out(JSON.stringify({ brake, people }, null, 2));
      out(`${brake.state}: ${people.length} ${brake.kind} by ${brake.source}, since ${brake.since.toISOString()}`);
      for (const person of people) {
        out(`${person.displayName} <${person.corporateEmail}>  case ${person.caseId}`);
        if (person.replacementDeviceId !== null) out(`  give out device ${person.replacementDeviceId}`);
        for (const step of person.steps) out(`  ${lineOf(step)}`);
      }
    });
  addRequest(brakes, context, 'release', 'ask another person to let everything go that it holds');
  addRequest(brakes, context, 'discard', 'ask another person to give up everything that it holds');
  addLimits(brakes, context);
};

function addRequest(brakes: Command, context: CliContext, name: 'release' | 'discard', description: string): void {
  const { actor, withServices } = context;
  brakes
    .command(`${name} <id> <reason>`)
    .description(`${description}; prints the id of the approval`)
    .action(async (id: string, reason: string) => {
      const act: ApprovalAct = `brake.${name}`;
      const approval = await withServices((services) =>
        services.get(BrakeDecisions).request(act, brakeId(id), reasonIn(reason), actor),
      );
      printRequest(approval, context);
    });
}

function addLimits(brakes: Command, context: CliContext): void {
  const { actor, out, withServices } = context;
  brakes
    .command('limits')
    .description(
      'show how many people one source may change within an hour, and how many recovery keys one person reads alone in a day',
    )
    .action(async () => {
      const limits = await withServices((services) => services.get(BrakeLimits).list());
      for (const { kind, atLeast, sharePercent, changedBy } of limits) {
        const by = changedBy === null ? 'default' : `set by ${changedBy}`;
        out(`${kind.padEnd(12)} ${atLeast}, or ${sharePercent} % of the active staff where that is more  (${by})`);
      }
    });
  brakes
    .command('limit <kinds>')
    .description(
      `change limits, comma-separated (${LIMIT_KINDS.join(', ')}); what is held stays held, and to raise one another person approves`,
    )
    .requiredOption('--at-least <people>', 'so many within an hour always pass')
    .requiredOption('--share <percent>', 'of the active staff; the larger one of the two counts')
    .option('--reason <text>', 'why, for the audit log; needed where another person has to approve')
    .action(async (kinds: string, options: { atLeast: string; share: string; reason?: string }) => {
      const [atLeast, sharePercent] = [Number(options.atLeast), Number(options.share)];
      const wish = LimitWish.safeParse({ kinds: kinds.split(','), atLeast, sharePercent });
      if (!wish.success) throw new CommandFailure(z.prettifyError(wish.error), EXIT.usage);
      const reason = options.reason === undefined ? undefined : reasonIn(options.reason);
      const approval = await withServices((services) => services.get(BrakeLimitEdits).change(wish.data, reason, actor));
      if (approval) printRequest(approval, context);
      else out(`${kinds}: ${atLeast}, or ${sharePercent} % of the active staff where that is more`);
    });
}

function lineOf({ act, toolName, username, grant }: HeldPlanStep): string {
  const what = grant ? `${act} ${grant.kind} ${grant.name}` : act.replaceAll('_', ' ');
  return [what.padEnd(20), toolName, username].filter(Boolean).join('  ');
}

function brakeId(id: string): string {
  if (z.uuid().safeParse(id).success) return id;
  throw new CommandFailure('That is no id of a brake. See `quartermaster brakes list`.', EXIT.usage);
}
