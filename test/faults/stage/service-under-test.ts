import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../../scripts/embedded/free-port.js';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import { FakeTool } from '../../support/fake-tool.js';
import { HrSystem } from '../../support/hr-system.js';
import { waitFor } from '../../support/wait-for.js';
import { openHalfOpenLink, type HalfOpenLink } from './half-open-link.js';
import type { Installation } from './installation.js';
import { KeptProcess } from './kept-process.js';
import { Orders } from './orders.js';
import { RedisUnderTest } from './redis-under-test.js';

type Tools = readonly [FakeTool, FakeTool, FakeTool];

interface Parts {
  database: string;
  databaseUrl: string;
  folder: string;
  port: number;
  tools: Tools;
  redis: RedisUnderTest | null;
  postgresLine: HalfOpenLink;
  redisLine: HalfOpenLink | null;
}

/** Secrets that must show nowhere (I7). */
const TOOL_SECRET = `canary-${randomUUID()}`;

/**
 * The whole service as an installation runs it: API, two workers, the emergency worker, each started again when it
 * ends; PostgreSQL and Redis; three fake tools. Worker 1 reaches PostgreSQL and Redis over lines that can go deaf.
 */
export class ServiceUnderTest {
  readonly api: KeptProcess;
  readonly workers: readonly [KeptProcess, KeptProcess];
  readonly emergency: KeptProcess;
  readonly orders: Orders;
  readonly hr: HrSystem;
  readonly toolIds: string[] = [];
  private readonly db: pg.Pool;

  private constructor(
    readonly installation: Installation,
    private readonly parts: Parts,
  ) {
    const { folder, port, database } = parts;
    this.orders = new Orders(folder);
    this.hr = new HrSystem(`${this.url}/hooks/hr/hr`, installation.hrSecret);
    // The superuser has connections left when everybody else has none.
    this.db = new pg.Pool({
      connectionString: installation.postgres.url(database),
      max: 2,
      connectionTimeoutMillis: 5_000,
      query_timeout: 20_000,
    });
    this.db.on('error', () => undefined);
    this.api = this.keep('api', 'src/api.main.js', [], /API ready/, { PORT: String(port) });
    const worker = (name: string, lanes: string, env: Record<string, string> = {}) =>
      this.keep(name, 'src/worker.main.js', ['--lanes', lanes], /worker ready/, {
        QM_ORDERS: this.orders.file,
        NODE_OPTIONS: `--import ${HOOKS} --max-old-space-size=256`,
        ...env,
      });
    const lines = {
      DATABASE_URL: parts.postgresLine.through(parts.databaseUrl),
      ...(parts.redis && parts.redisLine && { REDIS_URL: parts.redisLine.through(parts.redis.url) }),
    };
    this.workers = [worker('worker 1', 'standard,bulk', lines), worker('worker 2', 'standard,bulk')];
    this.emergency = worker('emergency worker', 'emergency');
  }

  static async start(installation: Installation, { redis: withRedis = true } = {}): Promise<ServiceUnderTest> {
    const copy = await installation.copy();
    const redis = withRedis
      ? await RedisUnderTest.start(join(copy.folder, 'redis'), (pid) => installation.record(pid, copy.folder))
      : null;
    const service = new ServiceUnderTest(installation, {
      ...copy,
      redis,
      port: await freePort(),
      tools: [await FakeTool.start(), await FakeTool.start(), await FakeTool.start()],
      postgresLine: await openHalfOpenLink(copy.databaseUrl),
      redisLine: redis && (await openHalfOpenLink(redis.url)),
    });
    installation.running.add(service.stop);
    try {
      for (const one of service.processes) one.start();
      await service.untilWell();
      await service.addTools();
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  private keep(name: string, program: string, args: string[], ready: RegExp, env: Record<string, string>): KeptProcess {
    const { installation, parts } = this;
    return new KeptProcess({
      name,
      program,
      args,
      ready,
      build: join(cloneFolder(), 'dist'),
      env: {
        ...installation.env,
        DATABASE_URL: parts.databaseUrl,
        ...(parts.redis && { REDIS_URL: parts.redis.url }),
        ...env,
      },
      onStart: (pid, started) => installation.record(pid, started),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.parts.port}`;
  }

  get database(): string {
    return this.parts.database;
  }

  get databaseUrl(): string {
    return this.parts.databaseUrl;
  }

  get folder(): string {
    return this.parts.folder;
  }

  get tools(): Tools {
    return this.parts.tools;
  }

  get redis(): RedisUnderTest | null {
    return this.parts.redis;
  }

  /** Worker 1's lines. */
  get lines(): { postgres: HalfOpenLink; redis: HalfOpenLink | null } {
    return { postgres: this.parts.postgresLine, redis: this.parts.redisLine };
  }

  get processes(): readonly KeptProcess[] {
    return [this.api, ...this.workers, this.emergency];
  }

  /** What must never be seen outside PostgreSQL's sealed columns and the tools. */
  get canaries(): string[] {
    const passwords = this.tools.flatMap((tool) => [...tool.users.values()].flatMap(({ password }) => password ?? []));
    const { token, hrSecret, keys } = this.installation;
    return [TOOL_SECRET, token, hrSecret, ...keys, new URL(this.databaseUrl).password, ...passwords];
  }

  processOf(pid: number): KeptProcess | undefined {
    return this.processes.find((one) => one.pid === pid);
  }

  /** All processes work, and the API says that it can. */
  async untilWell(withinMs = 90_000): Promise<void> {
    await Promise.all(this.processes.map((one) => one.untilReady(withinMs)));
    await waitFor(
      'the API is ready',
      async () => (await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok,
      { withinMs, everyMs: 50 },
    );
  }

  private async addTools(): Promise<void> {
    for (const [index, tool] of this.tools.entries()) {
      const { id } = await this.call<{ id: string }>('POST', '/v1/tools', {
        key: `tool-${index}`,
        name: `Tool ${index}`,
        connector: 'scim',
        environment: 'test',
        settings: { baseUrl: tool.url, refusesSuspendedAtOnce: true, ownUserName: 'quartermaster' },
        secrets: { token: TOOL_SECRET },
        allowPrivateAddresses: true,
        owners: [`owner-${index}@acme.example`],
        callsPerSecond: 1_000,
      });
      this.toolIds.push(id);
    }
  }

  /**
   * A request as a stubborn client makes it: with an Idempotency-Key, again and again until it is answered with
   * something that trying again won't change. Throws for a 4xx.
   */
  async call<T>(method: string, path: string, body?: unknown, withinMs = 120_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    const key = randomUUID();
    for (;;) {
      const answer = await this.ask(method, path, key, body).catch((error: unknown) => ({
        status: 0,
        body: String(error),
      }));
      if (answer.status >= 200 && answer.status < 300) return answer.body as T;
      const isFinal = answer.status >= 400 && answer.status < 500 && !isInFlight(answer.body);
      if (isFinal || performance.now() > deadline) {
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      await pause(200);
    }
  }

  private async ask(
    method: string,
    path: string,
    key: string,
    body: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.installation.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(25_000),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Rows straight from the database, as the superuser. */
  async rows<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.db.query<Row>(sql, parameters)).rows;
  }

  /** Once, however many ask for it. */
  readonly stop = (): Promise<void> => (this.stopping ??= this.end());
  private stopping: Promise<void> | undefined;

  private async end(): Promise<void> {
    const { parts } = this;
    this.installation.running.delete(this.stop);
    for (const tool of parts.tools) tool.release();
    await Promise.all(this.processes.map((one) => one.stop('SIGKILL')));
    await this.db.end().catch(() => undefined);
    await parts.postgresLine.close();
    await parts.redisLine?.close();
    await parts.redis?.stop();
    await Promise.all(parts.tools.map((tool) => tool.stop()));
    await this.installation.postgres.dropDatabase(parts.database).catch(() => undefined);
  }
}

const HOOKS = join(cloneFolder(), 'test/faults/stage/worker-hooks.mjs');

function isInFlight(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === '/problems/request-in-flight';
}
