import type { DataSource, EntityManager } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { LogKey } from '../platform/audit/log-key.service.js';
import { loadConfig, type Config } from '../platform/config/config.js';
import type { InstallationKey } from '../platform/crypto/installation-key.js';
import { checkInstallation, WrongInstallationError } from '../platform/crypto/key-check.js';
import { Keyring } from '../platform/crypto/keyring.js';
import { keyFileExists, loadKeyFile, makeKeyFile } from '../platform/crypto/key-file.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import type { AddCommand } from './command.js';

interface Initialised {
  created: boolean;
  fingerprint: string;
  madeLogKey: boolean;
}

/** Any fixed number: two `init` at once must not make two keys. */
const INIT_LOCK = 7_154_882_001;

export const addInit: AddCommand = (program, { env, out }) => {
  program
    .command('init')
    .description('set up this installation, once: make the key file and bind the database to it')
    .addHelpText(
      'after',
      `
Needs DATABASE_URL (with its tables: run \`quartermaster migrate up\` first) and QUARTERMASTER_KEY_FILE, the path of the
key file to make. Back the key file up, apart from the database: without it no stored secret opens again.
On an installation that is set up already it says so and changes nothing.`,
    )
    .option('--json', 'print {"created": …, "keyFile": …, "fingerprint": …} for a program')
    .action(async (options: { json?: boolean }) => {
      const config = loadConfig(env);
      const db = createDataSource({ url: config.databaseUrl, applicationName: 'quartermaster-init', poolSize: 2 });
      await db.initialize();
      const { created, fingerprint, madeLogKey } = await initialise(db, config).finally(() => db.destroy());
      if (options.json) out(JSON.stringify({ created, keyFile: config.keyFile, fingerprint }));
      else if (created) {
        out(
          `Set up for ${config.environment}. The key is in ${config.keyFile} (${fingerprint}): back it up apart from the database.`,
        );
      } else {
        const changed = madeLogKey ? 'The audit log got its key' : 'Nothing was changed';
        out(`Set up already, with the key ${fingerprint} in ${config.keyFile}. ${changed}.`);
      }
    });
};

async function initialise(db: DataSource, config: Config): Promise<Initialised> {
  return db.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock($1)`, [INIT_LOCK]);
    const [table] = await queryRows<{ exists: boolean }>(
      tx,
      `SELECT to_regclass('installation') IS NOT NULL AS exists`,
    );
    if (!table?.exists)
      throw new WrongInstallationError('The database is empty. Run `quartermaster migrate up` first.');
    const installed = await queryRows(tx, `SELECT id FROM installation`);
    if (installed.length > 0) {
      const key = await loadKeyFile(config.keyFile);
      await checkInstallation(db, key, config);
      return { created: false, fingerprint: key.fingerprint, madeLogKey: await makeLogKey(tx, key, config) };
    }
    // A file without an installation is what an `init` left that was killed in between.
    const key = (await keyFileExists(config.keyFile))
      ? await loadKeyFile(config.keyFile)
      : await makeKeyFile(config.keyFile);
    await tx.query(`INSERT INTO installation (id, key_fingerprint, environment) VALUES (1, $1, $2)`, [
      key.fingerprint,
      config.environment,
    ]);
    return { created: true, fingerprint: key.fingerprint, madeLogKey: await makeLogKey(tx, key, config) };
  });
}

/** Also for an installation from before the log was sealed. The log's name never changes, unlike an address. */
async function makeLogKey(tx: EntityManager, key: InstallationKey, { environment }: Config): Promise<boolean> {
  return new LogKey(new SecretVault(new Keyring(key))).make(
    tx,
    `quartermaster/${environment}/${key.fingerprint.slice(0, 8)}`,
  );
}
