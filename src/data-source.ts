import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../migrations/index.js';
import { ENTITIES } from './entities.js';
import { ImpatientClient } from './platform/database/impatient-client.js';

export interface DataSourceSettings {
  url: string;
  /** Shown in `pg_stat_activity`: which process holds a lock. */
  applicationName: string;
  /** Connections at most; 10 without it. */
  poolSize?: number;
  /** Connections that were opened stay open; without it an idle one is closed after ten seconds. */
  keepConnections?: boolean;
  /** Migrations may take as long as they need; everything else has a limit. */
  unlimited?: boolean;
}

/** The limits of a service's connection, in milliseconds: a stuck statement or transaction must not hold others up. */
const LIMITS = {
  statement_timeout: 15_000,
  idle_in_transaction_session_timeout: 5_000,
  // Ours, for a server that answers nothing any more; the server's own limit comes first.
  query_timeout: 20_000,
};

/**
 * PostgreSQL's own settings for a service's connections. A plan that is kept (of a prepared statement, of a foreign key's
 * check) may have been made when a table was empty, and then reads it whole each time until the next ANALYZE: where there
 * is an index, it is used. Without `jit=off` such a plan's cost would make PostgreSQL compile it.
 */
const PLANNING = '-c enable_seqscan=off -c jit=off';

/** Not connected yet: call `initialize()`. */
export function createDataSource(settings: DataSourceSettings): DataSource {
  const { url, applicationName, poolSize = 10, keepConnections, unlimited } = settings;
  return new DataSource({
    type: 'postgres',
    url,
    applicationName,
    poolSize,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'each',
    connectTimeoutMS: 5_000,
    // Counters here stay far below 2^53.
    parseInt8: true,
    installExtensions: false,
    // A lost idle connection is replaced by itself; TypeORM would print it to the console, past the log's redaction.
    poolErrorHandler: () => undefined,
    logging: false,
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      Client: ImpatientClient,
      ...(keepConnections && { idleTimeoutMillis: 0 }),
      ...(unlimited ? {} : { ...LIMITS, options: PLANNING }),
    },
  });
}
