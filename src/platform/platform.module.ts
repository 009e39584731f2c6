import { Module, type DynamicModule } from '@nestjs/common';
import type { DestinationStream } from 'pino';
import type { DataSource } from 'typeorm';
import { AuditModule } from './audit/audit.module.js';
import { ConfigModule, type Config, type LogLevel } from './config/config.js';
import { CryptoModule } from './crypto/crypto.module.js';
import type { InstallationKey } from './crypto/installation-key.js';
import { Keyring } from './crypto/keyring.js';
import { RecoveryRing } from './crypto/recovery-ring.js';
import { CsvModule } from './csv/csv.module.js';
import { DatabaseModule } from './database/database.module.js';
import { LoggingModule } from './logging/logging.module.js';

/** What each process stands on: the API, the workers, the commands. */
export interface Ground {
  config: Config;
  db: DataSource;
  key: InstallationKey;
  /** With the providers that this process may use; only the installation's own key without it. */
  keyring?: Keyring;
  /** Of recovery keys; without it none is kept. */
  recoveryRing?: RecoveryRing;
  /** Another log than the configured level on the standard output. */
  log?: { level: LogLevel; stream: DestinationStream };
}

@Module({})
export class PlatformModule {
  static of({
    config,
    db,
    key,
    keyring = new Keyring(key),
    recoveryRing = new RecoveryRing(),
    log,
  }: Ground): DynamicModule {
    return {
      module: PlatformModule,
      imports: [
        ConfigModule.of(config),
        LoggingModule.of(log?.level ?? config.logLevel, log?.stream),
        DatabaseModule.of(db),
        CryptoModule.of(keyring, recoveryRing),
        AuditModule,
        CsvModule,
      ],
    };
  }
}
