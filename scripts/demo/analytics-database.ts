import pg from 'pg';
import { startEmbeddedPostgres } from '../embedded/postgres.js';

/** Quartermaster's own role there, and the group role that the access policy gives out. */
export const ANALYTICS_ADMIN = 'quartermaster';
export const ANALYTICS_ROLE = 'analytics_reader';
const DATABASE = 'analytics';

/** What the database itself shows of a role, asked as its superuser. */
export interface RoleSeen {
  canLogIn: boolean;
  sessions: number;
}

/** A person's open connection, and when it died. */
export interface LiveSession {
  pid: number;
  /** Resolves with the moment (`performance.now()`) at which the server cut it. */
  cut: Promise<number>;
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** A PostgreSQL of its own, in which every person has a role. */
export interface AnalyticsDatabase {
  host: string;
  port: number;
  database: string;
  /** Logs in as a person. @throws what PostgreSQL answers, with its SQLSTATE as `code` */
  logIn(username: string, password: string): Promise<LiveSession>;
  role(username: string): Promise<RoleSeen | null>;
  stop(): Promise<void>;
}

/**
 * Starts it, and sets it up as the connector's README says: a role that may make roles, end sessions and give out one
 * group role, and nothing else.
 */
export async function startAnalyticsDatabase(dataFolder: string, adminPassword: string): Promise<AnalyticsDatabase> {
  const server = await startEmbeddedPostgres({ dataFolder });
  try {
    await server.ensureDatabase(DATABASE);
    await asSuperuser(server.url(DATABASE), (client) => setUp(client, adminPassword));
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { port } = server;
  return {
    host: '127.0.0.1',
    port,
    database: DATABASE,
    logIn: (user, password) => logIn({ host: '127.0.0.1', port, database: DATABASE, user, password }),
    role: (username) => asSuperuser(server.url(DATABASE), (client) => seenRole(client, username)),
    stop: () => server.stop(),
  };
}

async function setUp(client: pg.Client, adminPassword: string): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE rolname = ANY($1)', [
    [ANALYTICS_ADMIN, ANALYTICS_ROLE],
  ]);
  const exists = (name: string) => rows.some(({ rolname }) => rolname === name);
  await client.query('BEGIN');
  if (!exists(ANALYTICS_ROLE)) await client.query(`CREATE ROLE ${ANALYTICS_ROLE} NOLOGIN`);
  if (!exists(ANALYTICS_ADMIN)) await client.query(`CREATE ROLE ${ANALYTICS_ADMIN} LOGIN CREATEROLE`);
  await client.query(`ALTER ROLE ${ANALYTICS_ADMIN} PASSWORD ${pg.escapeLiteral(adminPassword)}`);
  await client.query(`GRANT pg_signal_backend TO ${ANALYTICS_ADMIN}`);
  await client.query(`GRANT ${ANALYTICS_ROLE} TO ${ANALYTICS_ADMIN} WITH ADMIN OPTION`);
  await client.query('CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, amount numeric NOT NULL)');
  await client.query('INSERT INTO orders VALUES (1, 120), (2, 75.5), (3, 310) ON CONFLICT DO NOTHING');
  await client.query(`GRANT SELECT ON orders TO ${ANALYTICS_ROLE}`);
  await client.query('COMMIT');
}

async function asSuperuser<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function seenRole(client: pg.Client, username: string): Promise<RoleSeen | null> {
  const { rows } = await client.query<RoleSeen>(
    `SELECT rolcanlogin AS "canLogIn", (SELECT count(*)::int FROM pg_stat_activity WHERE usesysid = r.oid) AS sessions
     FROM pg_roles r WHERE rolname = $1`,
    [username],
  );
  return rows[0] ?? null;
}

async function logIn(config: pg.ClientConfig): Promise<LiveSession> {
  const client = new pg.Client({ ...config, application_name: 'a notebook on the laptop' });
  const cut = new Promise<number>((resolve) => {
    // Without a listener a cut connection would end our process.
    client.on('error', () => {});
    client.once('end', () => resolve(performance.now()));
  });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return {
    pid: rows[0]?.pid ?? 0,
    cut,
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    close: () => client.end(),
  };
}
