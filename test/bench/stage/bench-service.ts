import { join } from 'node:path';
import { freePort } from '../../../scripts/embedded/free-port.js';
import { startRedis, type RedisServer } from '../../../scripts/embedded/redis.js';
import { startService, type Service, type ServiceProcessName } from '../../../scripts/supervisor.js';
import { BenchTools } from '../tools/bench-tools.js';
import { until } from '../wait.js';
import { HrPoster } from './hr-poster.js';
import type { BenchDatabase, Stage } from './stage.js';

interface BenchServiceOptions {
  database: BenchDatabase;
  tools: number;
  /** Milliseconds of a tool's answer. */
  latency: number;
  /** What each tool bears; by default as much as a worker has room for, so that the engine is measured and no limit. */
  maxConcurrency?: number;
  /** With the database comes what is there before the service starts. */
  seed?: (toolIds: readonly string[]) => Promise<void>;
}

/** The one of the standard lanes and the one for emergencies. */
const WORKERS = 2;

let started = 0;

/** Quartermaster as `npm start` runs it (API, a worker, an emergency worker, supervised), a Redis, and fake tools. */
export class BenchService {
  readonly toolIds: string[] = [];

  private constructor(
    readonly database: BenchDatabase,
    readonly tools: BenchTools,
    readonly redis: RedisServer,
    private readonly service: Service,
    private readonly token: string,
    readonly hr: HrPoster,
  ) {}

  static async start(stage: Stage, options: BenchServiceOptions): Promise<BenchService> {
    const { database } = options;
    const tools = await BenchTools.start(options.tools);
    stage.onStop(async () => tools.stop());
    const redis = await startRedis({ dataFolder: join(stage.folder, `redis-${(started += 1)}`) });
    if (!redis)
      throw new Error("there is no redis-server or valkey-server on the PATH: the standard lanes can't be measured");
    stage.onStop(() => redis.stop());
    const { DATABASE_URL: databaseUrl = '', ...env } = stage.env(database.url);
    const port = await freePort();
    const lines: string[] = [];
    const service = await startService({
      databaseUrl,
      redisUrl: redis.url,
      keyFile: stage.keyFile(),
      port,
      env,
      onLine: (name, line) => void (lines.push(`${name} | ${line}`) > 200 && lines.shift()),
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${lines.join('\n')}`, { cause: error });
    });
    stage.onStop(() => service.stop());
    const hr = new HrPoster(`${service.baseUrl}/hooks/hr/hr`, stage.hrSecret);
    const bench = new BenchService(database, tools, redis, service, stage.token, hr);
    await bench.addTools(options.maxConcurrency ?? 64);
    await options.seed?.(bench.toolIds);
    tools.latency = options.latency;
    return bench;
  }

  get url(): string {
    return this.service.baseUrl;
  }

  pidOf(name: ServiceProcessName): number {
    const pid = this.service.children.find((child) => child.name === name)?.pid;
    if (pid === undefined) throw new Error(`the ${name} process is not there at this moment`);
    return pid;
  }

  /**
   * All workers are there and have been for ten seconds: the supervisor restarts such a process at once; one that dies
   * young waits longer.
   */
  async untilSteady(): Promise<void> {
    await until(
      'all workers have been present for ten seconds',
      async () => {
        const present = await this.database
          .value<number>(
            `SELECT count(*)::int FROM workers
             WHERE gone_at IS NULL AND seen_at > now() - interval '3 s' AND started_at < now() - interval '10.5 s'`,
          )
          .catch(() => 0);
        return present >= WORKERS ? true : undefined;
      },
      { everyMs: 200 },
    );
  }

  private async addTools(maxConcurrency: number): Promise<void> {
    for (const [index, baseUrl] of this.tools.urls.entries()) {
      const { id } = await this.call<{ id: string }>('POST', '/v1/tools', {
        key: `tool-${index}`,
        name: `Tool ${index}`,
        connector: 'scim',
        environment: 'test',
        settings: { baseUrl, refusesSuspendedAtOnce: true, ownUserName: 'quartermaster' },
        secrets: { token: 'only-in-benches' },
        allowPrivateAddresses: true,
        owners: ['it@acme.example'],
        callsPerSecond: 10_000,
        maxConcurrency,
      });
      this.toolIds.push(id);
    }
  }

  async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...this.authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  }

  get authorization(): { authorization: string } {
    return { authorization: `Bearer ${this.token}` };
  }

  async stop(): Promise<void> {
    this.hr.close();
    await this.service.stop();
    await this.redis.stop().catch(() => undefined);
    this.tools.stop();
  }
}
