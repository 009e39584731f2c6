import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cloneFolder } from '../embedded/places.js';
import { startEmbeddedPostgres } from '../embedded/postgres.js';
import { localTls, type LocalTls } from '../embedded/local-tls.js';
import { startRedis } from '../embedded/redis.js';
import { makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { runCli } from '../run-cli.js';
import { startService, type Service } from '../supervisor.js';
import type { DemoPlaces } from './demo-places.js';
import { HR_SOURCE } from './hr-system.js';
import { providePolicy } from './provide-policy.js';
import type { StopList } from './stop-list.js';
import { duration, paint, type Terminal } from './terminal.js';

/** Quartermaster, running; and its command line, on the same database and keys. */
export interface RunningQuartermaster {
  service: Service;
  /** As a browser on this machine reaches it. */
  publicUrl: string;
  /** Null: it speaks plain HTTP. */
  certificate: LocalTls | null;
  apiToken: string;
  hrSecret: string;
  usesRedis: boolean;
  /** Makes a link that signs the admin in, once. */
  readonly signInLink: (adminName: string) => Promise<string>;
  /** Gets each alert from now on: the first line of what a process tells people. */
  readonly onAlert: (tell: (line: string) => void) => void;
}

interface Options {
  places: DemoPlaces;
  port: number;
  /** HTTPS, by a certificate authority of the demo's own. */
  tls: boolean;
  stops: StopList;
  terminal: Terminal;
  signal: AbortSignal;
}

/** Its PostgreSQL, its Redis where there is one, its tables and keys, and then its three processes. */
export async function startQuartermaster(options: Options): Promise<RunningQuartermaster> {
  const { places, port, tls, stops, terminal, signal } = options;
  const timed = stopwatch(terminal);
  const postgres = await startEmbeddedPostgres({
    dataFolder: places.at('postgres'),
    log: (line) => terminal.detail(line),
  });
  stops.add(() => postgres.stop());
  const databaseUrl = await postgres.ensureDatabase('quartermaster');
  timed('PostgreSQL, embedded');
  const redisUrl = await provideRedis(places, stops);
  if (redisUrl) timed('Redis: the standard lanes run through BullMQ');
  else terminal.item('○', 'no Redis, no redis-server or valkey-server: the standard lanes run on PostgreSQL alone');

  const keyFile = places.at('keys.json');
  const recoveryRecipient = await provideRecoveryIdentity(places);
  const certificate = tls ? await localTls(places.at('tls')) : null;
  const publicUrl = `${certificate ? 'https' : 'http'}://localhost:${port}`;
  const env = {
    ...certificate?.env,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl ?? undefined,
    QUARTERMASTER_KEY_FILE: keyFile,
    RECOVERY_RECIPIENTS: recoveryRecipient,
    RECOVERY_IDENTITY_FILE: places.at(RECOVERY_IDENTITY),
    // Its tools aren't a company's own, and it must never touch one that is.
    QUARTERMASTER_ENVIRONMENT: 'test',
    PUBLIC_URL: publicUrl,
    ACCESS_POLICY_FILE: await providePolicy(places),
    RUNBOOK_FILE: join(cloneFolder(), 'docs', 'runbooks', 'laptop-lost.yaml'),
    LOG_LEVEL: 'warn',
  };
  const cli = (...args: string[]) => runCli(args, env, signal);
  await cli('migrate', 'up');
  const { apiToken, hrSecret } = await provideSecrets(places, cli);
  await letTheStoryRepeat(places, cli);
  timed('tables and keys');

  let tellAlert = (_line: string): void => {};
  const log = createWriteStream(places.at('service.log'), { mode: 0o600 });
  const service = await startService({
    databaseUrl,
    redisUrl,
    keyFile,
    port,
    env,
    signal,
    onLine: (name, line) => {
      log.write(`${new Date().toISOString()} ${name.padEnd(10)} ${line}\n`);
      if (name === 'supervisor') terminal.item(paint('yellow', '▲'), line);
      else if (line.startsWith('ALERT ')) tellAlert(line);
    },
  }).catch((error: unknown) => {
    throw new Error(`Quartermaster did not start; ${places.at('service.log')} says why.`, { cause: error });
  });
  stops.add(() => service.stop());
  timed(`API, worker and emergency worker at ${publicUrl}`);
  return {
    service,
    publicUrl,
    certificate,
    apiToken,
    hrSecret,
    usesRedis: redisUrl !== null,
    signInLink: async (adminName) => lastWord(await cli('sign-in-link', '--name', adminName)),
    onAlert: (tell) => (tellAlert = tell),
  };
}

async function provideRedis(places: DemoPlaces, stops: StopList): Promise<string | null> {
  if (process.env['REDIS_URL']) return process.env['REDIS_URL'];
  const redis = await startRedis({ dataFolder: places.at('redis'), appendOnly: true });
  if (redis) stops.add(() => redis.stop());
  return redis?.url ?? null;
}

const RECOVERY_IDENTITY = 'recovery-identity';

/** Opens the laptops' recovery keys; a company keeps it where only its API server reads it. */
async function provideRecoveryIdentity(places: DemoPlaces): Promise<string> {
  const { recoveryRecipient } = places.memory;
  if (recoveryRecipient !== null) return recoveryRecipient;
  const file = places.at(RECOVERY_IDENTITY);
  // Of a run that was killed before it remembered this.
  await rm(file, { force: true });
  const made = await makeAgeIdentity(file);
  await places.remember({ recoveryRecipient: made });
  return made;
}

/** Made by the command line at the first run, and kept: later runs find them. */
async function provideSecrets(
  places: DemoPlaces,
  cli: (...args: string[]) => Promise<string>,
): Promise<{ apiToken: string; hrSecret: string }> {
  const { apiToken, hrSecret } = places.memory;
  if (apiToken && hrSecret) return { apiToken, hrSecret };
  await cli('init');
  const scopes =
    'people:read,tools:read,tools:write,accounts:read,devices:read,devices:write,cases:read,hr-events:read';
  const [token, secret] = await Promise.all([
    cli('token', 'create', '--name', 'demo', '--service', 'demo', '--scopes', scopes),
    cli('hr-source', 'add', HR_SOURCE),
  ]);
  const made = { apiToken: lastWord(token), hrSecret: lastWord(secret) };
  await places.remember(made);
  return made;
}

/** Whoever runs the demo again and again isn't a mass restoration: another limit than the careful default. */
async function letTheStoryRepeat(places: DemoPlaces, cli: (...args: string[]) => Promise<string>): Promise<void> {
  if (places.memory.mayRepeat) return;
  const why = ['--reason', 'The demo tells its story again and again.'];
  await cli('brakes', 'limit', 'leaves,removals,grants,restorations', '--at-least', '1000', '--share', '5', ...why);
  await places.remember({ mayRepeat: true });
}

function lastWord(output: string): string {
  return output.trim().split(/\s+/).at(-1) ?? '';
}

/** Says how long each part took since the one before. */
function stopwatch(terminal: Terminal): (what: string) => void {
  let since = performance.now();
  return (what) => {
    const now = performance.now();
    terminal.item(paint('green', '●'), what, duration(now - since));
    since = now;
  };
}
