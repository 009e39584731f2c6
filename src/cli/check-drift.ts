import { findDrift } from '../platform/database/drift.js';
import { pendingMigrations } from '../platform/database/migration-state.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addCheckDrift: AddCommand = (program, { out, withDatabase }) => {
  program
    .command('check-drift')
    .description('compare the database with the entities; exit with 1 and the SQL between them when they differ')
    .option('--json', 'print {"sql": […]} for a program')
    .addHelpText('after', '\nNeeds DATABASE_URL. Changes nothing.')
    .action(async (options: { json?: boolean }) => {
      await withDatabase(async (db) => {
        const pending = await pendingMigrations(db);
        if (pending.length > 0) {
          throw new CommandFailure(
            `The database lacks ${pending.length} migrations. Run \`quartermaster migrate up\` first.`,
          );
        }
        const sql = await findDrift(db);
        if (options.json) out(JSON.stringify({ sql }));
        else for (const statement of sql) out(`${statement};`);
        if (sql.length > 0) {
          throw new CommandFailure(
            'The migrations do not make what the entities describe. Write a migration, or correct the entity.',
          );
        }
        if (!options.json) out('The migrations make exactly what the entities describe.');
      });
    });
};
