import { z } from 'zod';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { dropEntries } from '../platform/audit/drop-entries.js';
import { erasePersonalData, type ErasureWish } from '../platform/audit/erase-personal-data.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

/** `audit erase` and `audit drop`: what the log need not keep for ever, without breaking a proof. */
export const addAuditRetention: AddCommand = (audit, { actor, out, withDatabase }) => {
  audit
    .command('erase')
    .description('erase what audit entries say about people; the entries and all proofs stay')
    .option('--person <id>', 'of one person: entries about them and about their cases')
    .option('--before <date>', 'of all entries from before this day, UTC, as in 2020-01-01')
    .addHelpText(
      'after',
      `
Names, mail addresses and reasons go for good; who did what to which id stays, with a salted commitment to what it said.
Backups and files that were exported or handed to auditors are not touched.`,
    )
    .action(async ({ person, before }: { person?: string; before?: string }) => {
      if ((person === undefined) === (before === undefined)) {
        throw new CommandFailure('Say whose with --person, or how old with --before.', EXIT.usage);
      }
      await withDatabase(async (db) => {
        const { fields, entries } = await inTransaction(db, async (tx) => {
          const wish: ErasureWish =
            before === undefined
              ? { personId: idFrom(person), caseIds: await casesOf(tx, idFrom(person)) }
              : { before: dayFrom(before) };
          return erasePersonalData(tx, new AuditService(), actor, wish);
        });
        out(fields === 0 ? 'There was nothing to erase.' : `Erased ${fields} personal fields of ${entries} entries.`);
      });
    });

  audit
    .command('drop')
    .description('drop the oldest entries once they need not be kept; proofs of all others stay')
    .requiredOption('--before <date>', 'only entries from before this day, UTC, as in 2020-01-01')
    .option('--even-unpublished', 'also what isn’t at every place where the log is published', false)
    .addHelpText(
      'after',
      `
Verifies the whole log first, and drops nothing of one that isn’t as it was sealed. Whole tiles of 256 are dropped. Export
the log before: with the file and an old checkpoint the dropped entries are proved for as long as you keep both.`,
    )
    .action(async ({ before, evenUnpublished }: { before: string; evenUnpublished: boolean }) => {
      const wish = { before: dayFrom(before), evenUnpublished };
      const { dropped, keptFrom } = await withDatabase((db) => dropEntries(db, new AuditService(), actor, wish)).catch(
        (error: unknown) => {
          if (error instanceof BrokenLog || error instanceof Problem) throw new CommandFailure(error.message);
          throw error;
        },
      );
      out(
        dropped === 0
          ? `There was nothing to drop: entries go in whole tiles of 256, and those from ${keptFrom} on stay.`
          : `Dropped ${dropped} entries; those from ${keptFrom} on stay.`,
      );
    });
};

function idFrom(text: string | undefined): string {
  const id = z.uuid().safeParse(text);
  if (!id.success) throw new CommandFailure('--person takes the id of a person.', EXIT.usage);
  return id.data;
}

function dayFrom(text: string): Date {
  const day = z.iso.date().safeParse(text);
  if (!day.success) throw new CommandFailure('--before takes a day, as in 2020-01-01.', EXIT.usage);
  return new Date(`${day.data}T00:00:00Z`);
}

async function casesOf(tx: Parameters<typeof queryRows>[0], personId: string): Promise<string[]> {
  const rows = await queryRows<{ id: string }>(tx, `SELECT id FROM cases WHERE person_id = $1`, [personId]);
  return rows.map(({ id }) => id);
}
