import { IsNull } from 'typeorm';
import { z } from 'zod';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { proofText } from '../platform/audit/log-proof.js';
import { publications, unsealed } from '../platform/audit/log-reader.js';
import { shelfAt } from '../platform/audit/log-shelf.js';
import { proveEntries } from '../platform/audit/prove-entry.js';
import { publishLog } from '../platform/audit/publish-log.js';
import { loadAwsRegion } from '../platform/config/config.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { Witness } from '../witnesses/witness.entity.js';
import { PlaceAddressError } from '../platform/storage/place.js';
import { CommandFailure, type AddCommand } from './command.js';

/** `audit publish`, `audit status` and `audit prove`: what others can check of the log without the whole of it. */
export const addAuditPublish: AddCommand = (audit, { env, out, note, withDatabase }) => {
  audit
    .command('publish')
    .description('publish the log’s checkpoint, tiles and entries (C2SP tlog-tiles) once; workers do it by themselves')
    .requiredOption('--to <place>', 'a folder from the root on, or s3://bucket/prefix?endpoint=…&region=…')
    .addHelpText(
      'after',
      `
Goes on where the place's own checkpoint ends. Entries hold no personal data, but who did what to which account.
Workers publish at every place of AUDIT_PUBLISH_TO.`,
    )
    .action((options: { to: string }) =>
      withDatabase(async (db) => {
        const { size } = await publishLog(db, shelfOf(options.to, loadAwsRegion(env))).catch(refuse);
        out(`${size} entries are published at ${options.to}.`);
      }),
    );

  audit
    .command('status')
    .description('show how far the log is sealed, published at each place, and cosigned by each witness')
    .action(() =>
      withDatabase(async (db) => {
        const [log] = await queryRows<{ size: number; sealedAt: Date | null }>(
          db,
          `SELECT size, (SELECT max(sealed_at) FROM audit_checkpoints) AS "sealedAt" FROM audit_log`,
        );
        const waiting = await unsealed(db.manager);
        out(`sealed: ${log?.size ?? 0} entries, last ${log?.sealedAt?.toISOString() ?? 'never'}`);
        out(`waiting to be sealed: ${waiting.count} entries, the oldest for ${Math.round(waiting.oldest)} s`);
        const targets = await queryRows<{ target: string }>(db, `SELECT target FROM audit_publications`);
        const places = await publications(
          db.manager,
          targets.map(({ target }) => target),
        );
        for (const { target, size, publishedAt, problem, behindFor } of places) {
          const when = publishedAt?.toISOString() ?? 'never';
          out(`published at ${target}: ${size} entries, last ${when}, behind for ${Math.round(behindFor)} s`);
          if (problem !== null) out(`  ✗ ${problem}`);
        }
        for (const { name, size, cosignedAt, problem } of await db.manager.find(Witness, {
          where: { removedAt: IsNull() },
          order: { name: 'ASC' },
        })) {
          out(`cosigned by ${name}: ${size} entries, last ${cosignedAt?.toISOString() ?? 'never'}`);
          if (problem !== null) out(`  ✗ ${problem}`);
        }
        if (places.length === 0) note('It is published nowhere: set AUDIT_PUBLISH_TO for the workers.');
      }),
    );

  audit
    .command('prove <entry-id>')
    .description('print the proof that an entry is in the log (C2SP tlog-proof), for `audit verify --proof`')
    .action((id: string) =>
      withDatabase(async (db) => {
        if (!z.uuid().safeParse(id).success) throw new CommandFailure('That is no id of an entry.', EXIT.usage);
        const { entries, unsealed: waiting, checkpoint } = await proveEntries(db, 'id = $1', id).catch(refuse);
        if (waiting.length > 0) throw new CommandFailure('The entry isn’t sealed yet; ask again in a second.');
        const [proved] = entries;
        if (!proved) throw new CommandFailure('There is no entry with this id.');
        out(proofText({ ...proved, checkpoint }).trimEnd());
      }),
    );
};

function shelfOf(address: string, region: string | undefined) {
  try {
    return shelfAt(address, region);
  } catch (error) {
    if (error instanceof PlaceAddressError) throw new CommandFailure(`--to ${error.message}.`, EXIT.usage);
    throw error;
  }
}

function refuse(error: unknown): never {
  if (error instanceof BrokenLog || error instanceof Problem) throw new CommandFailure(error.message);
  throw error;
}
