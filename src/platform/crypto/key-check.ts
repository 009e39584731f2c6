import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import type { InstallationKey } from './installation-key.js';

/** This process must not work on this database; the message says why and what to do. */
export class WrongInstallationError extends Error {
  override readonly name = 'WrongInstallationError';
}

/**
 * Called by each process before it does anything: what it would seal with another key nobody could open again, and a
 * test instance on a production database would act on real people.
 * @throws WrongInstallationError
 */
export async function checkInstallation(
  db: DataSource,
  key: InstallationKey,
  config: Pick<Config, 'environment' | 'keyFile'>,
): Promise<void> {
  const table = await db.query<{ exists: boolean }[]>(`SELECT to_regclass('installation') IS NOT NULL AS exists`);
  if (!table[0]?.exists) {
    throw new WrongInstallationError(
      'The database is empty. Run `quartermaster migrate up`, then `quartermaster init`.',
    );
  }
  const [installation] = await db.query<{ key_fingerprint: string; environment: string }[]>(
    `SELECT key_fingerprint, environment FROM installation`,
  );
  if (!installation) {
    throw new WrongInstallationError('This database belongs to no installation yet. Run `quartermaster init` once.');
  }
  if (installation.key_fingerprint !== key.fingerprint) {
    throw new WrongInstallationError(
      `The key file ${config.keyFile} (${key.fingerprint}) isn't the one this database was set up with ` +
        `(${installation.key_fingerprint}). Point QUARTERMASTER_KEY_FILE to that one, or restore it from its backup.`,
    );
  }
  if (installation.environment !== config.environment) {
    throw new WrongInstallationError(
      `This process is set up for ${config.environment}, but the database is of a ${installation.environment} ` +
        `installation. Check QUARTERMASTER_ENVIRONMENT and DATABASE_URL.`,
    );
  }
}
