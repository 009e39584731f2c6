import { Argument } from 'commander';
import type { DataSource } from 'typeorm';
import { migrationStates, pendingMigrations } from '../platform/database/migration-state.js';
import { queryRows } from '../platform/database/query-rows.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

/** Any fixed number: migrations run one at a time, however many servers start at once. */
const MIGRATION_LOCK = 7_154_882_002;

interface Options {
  json?: boolean;
}

export const addMigrate: AddCommand = (program, context) => {
  program
    .command('migrate')
    .description(
      'bring the database to this version: up (all that are missing), down (take the newest back), or status',
    )
    .addArgument(new Argument('[direction]').choices(['up', 'down', 'status']).default('up'))
    .option('--json', 'print {"applied": […], "pending": […]} for a program')
    .addHelpText(
      'after',
      '\nNeeds DATABASE_URL. Waits for another `migrate` that runs. `status` exits with 1 when some are missing.',
    )
    .action(async (direction: 'up' | 'down' | 'status', options: Options) => {
      await context.withDatabase(async (db) => {
        if (direction === 'status') await showStatus(db, options, context);
        else
          await underLock(db, context, () =>
            direction === 'up' ? up(db, options, context) : down(db, options, context),
          );
      });
    });
};

async function up(db: DataSource, options: Options, context: CliContext): Promise<void> {
  const applied = await db.runMigrations();
  if (options.json) await printStates(db, context);
  else if (applied.length === 0) context.out('The database is up to date.');
  else for (const { name } of applied) context.out(`applied ${name}`);
}

async function down(db: DataSource, options: Options, context: CliContext): Promise<void> {
  const newest = (await migrationStates(db)).findLast(({ applied }) => applied);
  if (!newest) throw new CommandFailure('There is no migration to take back: the database has none.');
  await db.undoLastMigration();
  if (options.json) await printStates(db, context);
  else context.out(`took back ${newest.name}`);
}

async function showStatus(db: DataSource, options: Options, context: CliContext): Promise<void> {
  if (options.json) await printStates(db, context);
  else
    for (const { name, applied } of await migrationStates(db))
      context.out(`${applied ? 'applied' : 'missing'} ${name}`);
  const pending = await pendingMigrations(db);
  if (pending.length > 0) {
    throw new CommandFailure(
      `${pending.length} migrations are missing. Run \`quartermaster migrate up\`.`,
      EXIT.failed,
    );
  }
}

async function printStates(db: DataSource, context: CliContext): Promise<void> {
  const states = await migrationStates(db);
  const names = (wanted: boolean) => states.filter(({ applied }) => applied === wanted).map(({ name }) => name);
  context.out(JSON.stringify({ applied: names(true), pending: names(false) }));
}

/** The lock belongs to a connection, so that it is free again should this process be killed. */
async function underLock(db: DataSource, context: CliContext, work: () => Promise<void>): Promise<void> {
  const runner = db.createQueryRunner();
  try {
    const [attempt] = await queryRows<{ ours: boolean }>(runner.manager, `SELECT pg_try_advisory_lock($1) AS ours`, [
      MIGRATION_LOCK,
    ]);
    if (!attempt?.ours) {
      context.note('Waiting for another migration to end.');
      await runner.query(`SELECT pg_advisory_lock($1)`, [MIGRATION_LOCK]);
    }
    try {
      await work();
    } finally {
      await runner.query(`SELECT pg_advisory_unlock($1)`, [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}
