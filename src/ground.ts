import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { ConfigError, loadConfig, type Environment } from './platform/config/config.js';
import { loadKeySettings, type KeySettings } from './platform/config/key-settings.js';
import { checkInstallation } from './platform/crypto/key-check.js';
import { loadKeyFile } from './platform/crypto/key-file.js';
import { openKeyring, openRecoveryRing } from './platform/crypto/open-keyring.js';
import { isDatabaseAway } from './platform/database/database-problem.js';
import type { Ground } from './platform/platform.module.js';

export interface GroundOptions {
  applicationName: string;
  poolSize?: number;
  /** Opens all connections at once and keeps them, so that nobody else can take PostgreSQL's last ones. */
  keepConnections?: boolean;
  /** Seconds to wait for a database that starts at the same time as we do; 0 without it. */
  patience?: number;
  /** For whoever shows them: the API server and the terminal. A worker only seals, and must not be able to do more. */
  opensRecoveryKeys?: boolean;
}

/**
 * What a process stands on: its configuration, its key, a connected database, all of one installation. Whoever opens it
 * calls `db.destroy()` at the end.
 * @throws ConfigError, KeyFileError, WrongInstallationError, or the driver's error when the database is away
 */
export async function openGround(env: Environment, options: GroundOptions): Promise<Ground> {
  const config = loadConfig(env);
  const key = await loadKeyFile(config.keyFile);
  const settings = loadKeySettings(env);
  if (!options.opensRecoveryKeys) refuseRecoveryIdentity(settings);
  const keyring = await openKeyring(key, settings);
  const recoveryRing = await openRecoveryRing(settings);
  const db = createDataSource({ ...options, url: config.databaseUrl });
  await connect(db, (options.patience ?? 0) * 1000);
  try {
    await checkInstallation(db, key, config);
    // Asked for at the same time, each gets a connection of its own.
    const { keepConnections, poolSize = 1 } = options;
    if (keepConnections) await Promise.all(Array.from({ length: poolSize }, () => db.query('SELECT 1')));
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return { config, key, keyring, recoveryRing, db };
}

function refuseRecoveryIdentity({ recoveryIdentityFile }: KeySettings): void {
  if (!recoveryIdentityFile) return;
  throw new ConfigError([
    'RECOVERY_IDENTITY_FILE is set, and a worker must not be able to open recovery keys: set it for the API server alone, in a file that the worker’s user can’t read',
  ]);
}

async function connect(db: DataSource, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      await db.initialize();
      return;
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() >= deadline) throw error;
      await pause(250);
    }
  }
}
