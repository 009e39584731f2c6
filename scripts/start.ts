import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cloneFolder, quartermasterDataFolder } from './embedded/places.js';
import { PostgresInUse, startEmbeddedPostgres } from './embedded/postgres.js';
import { curlCommand, localTls } from './embedded/local-tls.js';
import { startRedis } from './embedded/redis.js';
import { CliFailure, runCli } from './run-cli.js';
import { untilAskedToStop } from './stop-signals.js';
import { startService } from './supervisor.js';

const USAGE = `npm start [-- --embedded] [-- --tls | --no-tls] [-- --port 3000]

Starts Quartermaster on this machine: the API, a worker and the emergency worker.

  DATABASE_URL            a PostgreSQL, 15 or newer
  REDIS_URL               a Redis, 6.2 or newer, or Valkey; without it the standard lanes run on PostgreSQL alone
  QUARTERMASTER_KEY_FILE  the keys that \`npm run quartermaster -- init\` made

  --embedded              instead of these: a PostgreSQL (and a Redis, if one is installed) of our own, with their
                          data in your data folder. For trying out, not for a company's data.
  --tls                   HTTPS with a certificate for this machine, by a certificate authority of its own that is made
                          at the first start: with --embedded unless --no-tls or a PUBLIC_URL of http: says otherwise. For
                          a company's address set TLS_CERT_FILE and TLS_KEY_FILE instead
  --port                  where the API listens; else PORT, else 3000
`;

const say = (line: string): void => console.log(line);

/** What was started, in order; everything is stopped the other way round. */
const stops: (() => Promise<void>)[] = [];

async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop; stop = stops.pop()) {
    await stop().catch((error: unknown) => console.error(error));
  }
}

interface Surroundings {
  databaseUrl: string;
  redisUrl: string | null;
  keyFile: string;
}

/** A refusal: the settings are wrong, and trying again won't help. */
class Refusal extends Error {}

function givenSurroundings(): Surroundings {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, QUARTERMASTER_KEY_FILE: keyFile } = process.env;
  if (!databaseUrl) {
    throw new Refusal(
      'DATABASE_URL is not set. Set it to your PostgreSQL, or say `npm start -- --embedded` for a database of its own.\n' +
        'It is not guessed, so that a forgotten variable never opens an empty database.',
    );
  }
  if (!keyFile)
    throw new Refusal('QUARTERMASTER_KEY_FILE is not set. `npm run quartermaster -- init` makes the keys, once.');
  return { databaseUrl, redisUrl: redisUrl || null, keyFile };
}

async function startSurroundings(): Promise<Surroundings> {
  if (process.env['DATABASE_URL']) {
    throw new Refusal('DATABASE_URL is set and --embedded is given: say which database you mean by leaving out one.');
  }
  const home = quartermasterDataFolder();
  const postgres = await startEmbeddedPostgres({ dataFolder: join(home, 'postgres'), log: say });
  stops.push(() => postgres.stop());
  const databaseUrl = await postgres.ensureDatabase('quartermaster');

  let redisUrl = process.env['REDIS_URL'] || null;
  if (!redisUrl) {
    const redis = await startRedis({ dataFolder: join(home, 'redis'), appendOnly: true });
    if (redis) stops.push(() => redis.stop());
    else say('no redis-server or valkey-server on the PATH: the standard lanes run on PostgreSQL alone');
    redisUrl = redis?.url ?? null;
  }
  return { databaseUrl, redisUrl, keyFile: process.env['QUARTERMASTER_KEY_FILE'] || join(home, 'keys.json') };
}

interface Wishes {
  embedded: boolean;
  tls: boolean;
  port: number;
}

async function startEverything({ embedded: isEmbedded, tls, port }: Wishes, signal: AbortSignal): Promise<void> {
  const surroundings = isEmbedded ? await startSurroundings() : givenSurroundings();
  const certificate = tls ? await localTls(join(quartermasterDataFolder(), 'tls')) : null;
  const scheme = certificate || process.env['TLS_CERT_FILE'] ? 'https' : 'http';
  const env = {
    ...certificate?.env,
    DATABASE_URL: surroundings.databaseUrl,
    REDIS_URL: surroundings.redisUrl ?? undefined,
    QUARTERMASTER_KEY_FILE: surroundings.keyFile,
    PUBLIC_URL: process.env['PUBLIC_URL'] || `${scheme}://localhost:${port}`,
    RUNBOOK_FILE: process.env['RUNBOOK_FILE'] || join(cloneFolder(), 'docs', 'runbooks', 'laptop-lost.yaml'),
  };
  await runCli(['migrate', 'up'], env, signal);
  // It changes nothing where there are keys. Elsewhere a person makes them, and backs them up.
  if (isEmbedded) await runCli(['init'], env, signal);
  const onLine = (name: string, line: string) => say(`${name.padEnd(10)} | ${line}`);
  const service = await startService({ ...surroundings, port, env, onLine, signal });
  stops.push(() => service.stop());
  say(`Quartermaster is ready at ${service.baseUrl}`);
  if (certificate) say(`${certificate.advice}\ntry: ${curlCommand(env.PUBLIC_URL, certificate.authorityFile)}`);
  if (!isEmbedded) return;
  say(`sign in, once, within 10 minutes: ${(await runCli(['sign-in-link'], env, signal)).trim()}`);
}

/** Whether the environment says how the service is reached. */
function isToldHow(): boolean {
  return Boolean(process.env['TLS_CERT_FILE']) || Boolean(process.env['PUBLIC_URL']?.startsWith('http:'));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      embedded: { type: 'boolean', default: false },
      tls: { type: 'boolean' },
      port: { type: 'string', default: process.env['PORT'] || '3000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(USAGE);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Refusal(`${values.port} is no port.`);

  const stopping = new AbortController();
  const askedToStop = untilAskedToStop().then((reason) => {
    say(`stopping: ${reason}`);
    stopping.abort();
  });
  try {
    const { embedded, tls = embedded && !isToldHow() } = values;
    await startEverything({ embedded, tls, port }, stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  await askedToStop;
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof Refusal || error instanceof PostgresInUse || error instanceof CliFailure;
  console.error(isExpected ? error.message : error);
  process.exitCode = error instanceof Refusal ? 2 : 1;
}
await stopAll();
process.exit();
