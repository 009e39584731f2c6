import type { Command } from 'commander';
import { z } from 'zod';
import { approvalDetails } from '../approvals/approvals-views.js';
import { Approvals } from '../approvals/approvals.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

const LISTED = 100;

/** Acts that one person asked for and another one has to approve. */
export const addApprovals: AddCommand = (program, context) => {
  const { actor, out, withServices } = context;
  const approvals = program.command('approvals').description('acts that take two people: list, show, approve, refuse');
  approvals
    .command('list')
    .description('show what waits for a second person; with --all what was decided as well')
    .option('--all', 'what was decided, too')
    .action(async ({ all }: { all?: boolean }) => {
      const state = all ? undefined : ('waiting' as const);
      const found = await withServices((services) =>
        services.get(Approvals).list(actor, { state }, { before: null, limit: LISTED }),
      );
      if (found.length === 0) out('Nothing waits for a second person.');
      for (const { id, act, state: is, summary, requestedBy, expiresAt, reason } of found) {
        out(`${id}  ${is}  ${act}  ${summary}  by ${requestedBy}, until ${expiresAt.toISOString()}: ${reason}`);
      }
    });
  approvals
    .command('show <id>')
    .description('show everything that would happen, as JSON')
    .action(async (id: string) => {
      const approval = await withServices((services) => services.get(Approvals).get(actor, approvalId(id)));
      out(JSON.stringify(approvalDetails(approval), null, 2));
    });
  addDecision(approvals, context, 'approve', 'another person asked for it, and it is right: it is done');
  addDecision(approvals, context, 'refuse', 'it is not to be done');
};

function addDecision(
  approvals: Command,
  { actor, out, withServices }: CliContext,
  name: 'approve' | 'refuse',
  description: string,
): void {
  approvals
    .command(`${name} <id> [note]`)
    .description(description)
    .action(async (id: string, note: string | undefined) => {
      const { state, summary } = await withServices((services) =>
        services.get(Approvals)[name](approvalId(id), note, actor),
      );
      out(`${state}: ${summary}`);
    });
}

function approvalId(id: string): string {
  if (z.uuid().safeParse(id).success) return id;
  throw new CommandFailure('That is no id of an approval. See `quartermaster approvals list`.', EXIT.usage);
}
