import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { commandLine, goneWithin, signal } from '../../../scripts/embedded/process-list.js';
import { redisProgram, startRedis } from '../../../scripts/embedded/redis.js';
import { serverUser } from '../../../scripts/embedded/server-user.js';
import { waitFor } from '../../support/wait-for.js';

/** Where BullMQ keeps the wake-ups that no worker has taken yet. */
const WAITING = 'bull:quartermaster-standard:wait';

/** A Redis that may be emptied, filled, killed and brought back under the same address. */
export class RedisUnderTest {
  private monitor: Socket | undefined;
  private heard = '';

  private constructor(
    readonly url: string,
    private pid: number,
    private readonly configFile: string,
    /** Hears of each of its lives. */
    private readonly onStart: (pid: number) => void,
  ) {
    onStart(pid);
  }

  /** Null where no Redis is installed. */
  static async start(folder: string, onStart: (pid: number) => void): Promise<RedisUnderTest | null> {
    const server = await startRedis({ dataFolder: folder });
    if (!server) return null;
    const redis = new RedisUnderTest(server.url, server.pid, join(folder, 'redis.conf'), onStart);
    await redis.listen();
    return redis;
  }

  /** Every command that Redis ever got, as text: where a secret would show (I7). */
  get everythingHeard(): string {
    return this.heard;
  }

  /** By hand: ioredis trips over commands of others that come before the answer to its MONITOR. */
  private async listen(): Promise<void> {
    const { port, hostname, password } = new URL(this.url);
    const monitor = connect(Number(port), hostname);
    monitor.setEncoding('utf8').on('data', (text: string) => void (this.heard += text));
    monitor.on('error', () => undefined);
    await new Promise((resolve) => monitor.once('connect', resolve).once('close', resolve));
    monitor.write(`AUTH ${password}\r\nMONITOR\r\n`);
    this.monitor = monitor;
  }

  /** Empties it again and again until `over`; answers how many wake-ups were lost with it. */
  async keepEmptying(over: () => boolean): Promise<number> {
    return this.ask(async (client) => {
      let lost = 0;
      while (!over()) {
        const [waiting] = (await client.multi().llen(WAITING).flushall().exec()) ?? [];
        lost += Number(waiting?.[1] ?? 0);
        await pause(1);
      }
      return lost;
    });
  }

  /** Takes no more writes: its memory is used up. */
  async fill(): Promise<void> {
    await this.ask((client) => client.config('SET', 'maxmemory', '1'));
  }

  async unfill(): Promise<void> {
    await this.ask((client) => client.config('SET', 'maxmemory', '0'));
  }

  async kill(): Promise<void> {
    this.monitor?.destroy();
    signal(this.pid, 'SIGKILL');
    await goneWithin(5_000, () => this.isGone());
  }

  /** Starts again, empty, at the same address. */
  async comeBack(): Promise<void> {
    if (!this.isGone()) return;
    const program = redisProgram();
    if (!program) throw new Error('the Redis that was there is gone');
    const child = spawn(program, [this.configFile], { ...serverUser(), cwd: '/', detached: true, stdio: 'ignore' });
    child.unref();
    this.pid = child.pid ?? 0;
    this.onStart(this.pid);
    await waitFor('Redis is back', () => this.ask((client) => client.ping()), { withinMs: 10_000 });
    await this.listen();
  }

  async stop(): Promise<void> {
    await this.kill();
  }

  private isGone(): boolean {
    return !commandLine(this.pid).includes(this.configFile);
  }

  private async ask<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }
}
