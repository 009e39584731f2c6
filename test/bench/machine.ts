import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { arch, cpus, release, totalmem } from 'node:os';
import pg from 'pg';
import { spreadOf, type Spread } from './statistics.js';
import { POSTGRES_SETTINGS, type Stage } from './stage/stage.js';
import { BenchTools } from './tools/bench-tools.js';

/** What the figures were taken on, and how fast that is by itself, in the same run. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  node: string;
  postgres: string;
  postgresSettings: Readonly<Record<string, string>>;
  /** Other work on it makes every figure worse; a one-minute load before the bench. */
  ceilings: Record<Ceiling, Spread>;
}

type Ceiling =
  'durable commits/s, one client' | 'durable commits/s, 32 clients' | 'http round trips/s, 32 clients' | 'sha-256 MB/s';

const ROUNDS = 3;
const ROUND_MS = 700;

export async function describeMachine(stage: Stage): Promise<Machine> {
  const database = await stage.database();
  const tools = await BenchTools.start(1);
  const pool = new pg.Pool({ connectionString: database.url, max: 32 });
  // Dropping the database may cut connections that are still saying goodbye.
  pool.on('error', () => undefined);
  try {
    await pool.query(`CREATE TABLE ceiling (id bigserial PRIMARY KEY, payload text NOT NULL)`);
    const commit = () => pool.query(`INSERT INTO ceiling (payload) VALUES ($1)`, ['x'.repeat(200)]);
    const agent = new Agent({ keepAlive: true });
    const rates: Record<Ceiling, number[]> = {
      'durable commits/s, one client': [],
      'durable commits/s, 32 clients': [],
      'http round trips/s, 32 clients': [],
      'sha-256 MB/s': [],
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates['durable commits/s, one client'].push(await ratePerSecond(1, commit));
      rates['durable commits/s, 32 clients'].push(await ratePerSecond(32, commit));
      rates['http round trips/s, 32 clients'].push(
        await ratePerSecond(32, () => fetchOnce(tools.urls[0] ?? '', agent)),
      );
      rates['sha-256 MB/s'].push(hashRate());
    }
    agent.destroy();
    return {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${release()} ${arch()}`,
      node: process.version,
      postgres: await database.value<string>('SHOW server_version'),
      postgresSettings: POSTGRES_SETTINGS,
      ceilings: Object.fromEntries(
        Object.entries(rates).map(([name, values]) => [name, spreadOf(values)]),
      ) as Machine['ceilings'],
    };
  } finally {
    await pool.end();
    tools.stop();
    await database.drop();
  }
}

async function ratePerSecond(clients: number, act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let acts = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - startedAt < ROUND_MS) {
        await act();
        acts += 1;
      }
    }),
  );
  return (acts / (performance.now() - startedAt)) * 1000;
}

function fetchOnce(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${url}/ServiceProviderConfig`, { agent }, (answer) => {
      answer.resume();
      answer.once('end', resolve);
    }).once('error', reject);
  });
}

function hashRate(): number {
  const block = Buffer.alloc(1 << 20);
  const startedAt = performance.now();
  let blocks = 0;
  while (performance.now() - startedAt < ROUND_MS / 2) {
    createHash('sha256').update(block).digest();
    blocks += 1;
  }
  return (blocks / (performance.now() - startedAt)) * 1000;
}
