import { Option } from 'commander';
import { z } from 'zod';
import { CONFIRMED_HOW } from '../lost-devices/reports/loss-report.entity.js';
import { LossReports, type Confirmation } from '../lost-devices/reports/loss-reports.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { oneLine } from '../platform/logging/one-line.js';
import { CommandFailure, type AddCommand } from './command.js';

const LISTED = 100;

/** What people said at `/lost` who couldn't prove who they are. */
export const addLossReports: AddCommand = (program, { actor, out, withServices }) => {
  const reports = program
    .command('loss-reports')
    .description('people who say at /lost that their laptop is lost: list, confirm, dismiss');
  reports
    .command('list')
    .description('show who waits to be called back; with --all what was decided as well')
    .option('--all', 'what was decided, too')
    .action(async ({ all }: { all?: boolean }) => {
      const found = await withServices((services) =>
        services.get(LossReports).list(all ? undefined : 'waiting', { before: null, limit: LISTED }),
      );
      if (found.length === 0) out('Nobody waits.');
      for (const { id, state, email, assetTag, phone, words, times, reportedAt, erasedAt } of found) {
        const said = [assetTag, phone && `call ${phone}`, words, times > 1 && `said ${times} times`].filter(Boolean);
        out(
          oneLine(
            `${id}  ${state}  ${erasedAt === null ? email : 'erased'}  ${reportedAt.toISOString()}  ${said.join(' · ')}`,
          ),
        );
      }
    });
  reports
    .command('confirm <id> <note>')
    .description('it is really they: report the loss, which ends all of their access at once')
    .addOption(new Option('--how <how>', 'how you know that it is they').choices(CONFIRMED_HOW).makeOptionMandatory())
    .option('--device <asset-tag>', 'which laptop, where they named none, a wrong one, or one that isn’t in their name')
    .option('--device-only', 'cut only what this laptop holds')
    .action(
      async (
        id: string,
        note: string,
        { how, device, deviceOnly }: { how: Confirmation['how']; device?: string; deviceOnly?: boolean },
      ) => {
        const { caseId, again } = await withServices((services) =>
          services.get(LossReports).confirm(actor, reportId(id), {
            how,
            note,
            ...(device !== undefined && { assetTag: device }),
            ...(deviceOnly && { scope: 'device' }),
          }),
        );
        out(`${again ? 'It was reported before' : 'Reported'}: quartermaster loss ${caseId}`);
      },
    );
  reports
    .command('dismiss <id> <reason>')
    .description('it is nobody of ours, or nothing was lost')
    .action(async (id: string, reason: string) => {
      await withServices((services) => services.get(LossReports).dismiss(actor, reportId(id), reason));
      out('Dismissed.');
    });
};

function reportId(id: string): string {
  if (z.uuid().safeParse(id).success) return id;
  throw new CommandFailure('That is no id of a report. See `quartermaster loss-reports list`.', EXIT.usage);
}
