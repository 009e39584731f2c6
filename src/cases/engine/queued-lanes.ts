import { performance } from 'node:perf_hooks';
import { Queue, Worker, type ConnectionOptions } from 'bullmq';
import { Redis } from 'ioredis';
import type { Lane } from '../step-states.js';
import { Grouped } from '../../platform/database/grouped.js';
import { claimDue, claimThese, handOverDue, type Claim } from './claim.js';
import type { LaneOptions } from './direct-lane.js';
import { TIMING } from './timing.js';

interface QueuedOptions extends LaneOptions {
  redisUrl: string;
  /** This worker can't go on: the process ends, with the reason. */
  onLost: (why: string) => void;
}

interface Wake {
  stepId: string;
}

/**
 * Standard and bulk lanes with Redis: PostgreSQL decides what is due and what each tool can bear, and hands a bounded
 * window of ids to BullMQ; whichever worker gets one claims it in PostgreSQL. Redis holds wake-ups and nothing else: when
 * it is emptied the hand-over lapses and is made again; a wake-up that comes twice finds the step claimed.
 */
export class QueuedLanes {
  private readonly queues: Map<Lane, Queue<Wake>>;
  private readonly workers: Worker<Wake>[];
  private readonly claims: Grouped<string, Claim | undefined>;
  private timer: NodeJS.Timeout | undefined;
  private nextWake: NodeJS.Timeout | undefined;
  private lookForSuspects = true;
  private handingOver = false;
  private stopped = false;
  private isKeptWhole = false;

  constructor(private readonly options: QueuedOptions) {
    const { db, workerId } = options;
    this.claims = new Grouped((stepIds, lockTimeout) => claimThese(db, workerId, stepIds, lockTimeout));
    // Fails fast for the dispatcher, so that a dead Redis shows at once; waits without end for the workers.
    this.queues = new Map(options.lanes.map((lane) => [lane, openQueue(lane, options)]));
    this.workers = options.lanes.map(
      (lane) =>
        new Worker<Wake>(queueName(lane), (job) => this.work(job.data.stepId), {
          connection: connectionTo(options, true),
          concurrency: lane === 'bulk' ? Math.max(1, Math.floor(options.slots / 4)) : options.slots,
          // The lease in PostgreSQL decides who works; a stalled wake-up is dropped, not run again.
          drainDelay: BLOCKING_WAIT,
          lockDuration: 15_000,
          stalledInterval: 5_000,
          maxStalledCount: 0,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
          autorun: false,
        }),
    );
    for (const worker of this.workers) worker.on('error', options.onError);
  }

  start(): void {
    for (const worker of this.workers) worker.run().catch(this.options.onError);
    this.timer = setInterval(() => {
      this.lookForSuspects = true;
      this.wake();
    }, TIMING.poll);
    this.wake();
  }

  wake(): void {
    if (this.handingOver || this.stopped) return;
    this.handingOver = true;
    void this.handOver()
      .catch(this.options.onError)
      .finally(() => (this.handingOver = false));
  }

  /**
   * A Redis that may evict keys is refused: a wake-up must not vanish silently. Asked at the first hand-over, so that a
   * Redis that is away keeps nobody from starting.
   */
  private async refuseEviction(): Promise<void> {
    if (this.isKeptWhole) return;
    const { redisUrl, onLost } = this.options;
    const policy = await evictionPolicy(redisUrl);
    this.isKeptWhole = policy === 'noeviction';
    if (this.isKeptWhole) return;
    onLost(`Redis has maxmemory-policy "${policy}". Set it to "noeviction" (CONFIG SET maxmemory-policy noeviction).`);
  }

  private async handOver(): Promise<void> {
    await this.refuseEviction();
    const { db, lanes, slots } = this.options;
    for (const lane of lanes) await this.reach(lane);
    const due = await handOverDue(db, lanes, slots * 2);
    for (const lane of lanes) {
      const jobs = due
        .filter((step) => step.lane === lane)
        .map(({ id }) => ({
          name: 'step',
          data: { stepId: id },
          opts: { removeOnComplete: true, removeOnFail: true },
        }));
      if (jobs.length > 0) await this.queues.get(lane)?.addBulk(jobs);
    }
    if (!this.lookForSuspects) return;
    this.lookForSuspects = false;
    await this.runSuspects();
  }

  /**
   * Throws when Redis can't be reached: a step that is taken and can't be passed on is kept from the other workers until
   * its hand-over lapses. BullMQ never forgets that a queue's first connection failed, so such a queue is replaced.
   */
  private async reach(lane: Lane): Promise<void> {
    const queue = this.queues.get(lane);
    const client = await queue?.backend.client.catch((error: unknown) => {
      this.queues.set(lane, openQueue(lane, this.options));
      queue.close().catch(this.options.onError);
      throw error;
    });
    if (client?.status !== 'ready') throw new Error(`Redis can't be reached (its connection: ${client?.status}).`);
  }

  /** A step that crashed workers runs with nothing beside it: if this one dies now, it is known of what. */
  private async runSuspects(): Promise<void> {
    const { db, workerId, lanes, leases, run } = this.options;
    const claimedAt = performance.now();
    const [suspect] = await claimDue(db, workerId, lanes, 1, 'suspect');
    if (!suspect) return;
    await Promise.all(this.workers.map((worker) => worker.pause()));
    try {
      await leases.during(suspect, claimedAt, (lease) => run(suspect, lease));
    } finally {
      await Promise.all(this.workers.map((worker) => worker.resume()));
    }
  }

  private async work(stepId: string): Promise<void> {
    const { leases, run, onError } = this.options;
    try {
      const claimedAt = performance.now();
      const claim = await this.claims.ask(stepId);
      if (claim) await leases.during(claim, claimedAt, (lease) => run(claim, lease));
    } catch (error) {
      // The lease lapses and the step is due again; a failed job is never an ending.
      onError(error);
    }
    this.wakeSoon();
  }

  /** One hand-over for all the steps that end within a moment. */
  private wakeSoon(): void {
    this.nextWake ??= setTimeout(() => {
      this.nextWake = undefined;
      this.wake();
    }, TIMING.gather);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    clearTimeout(this.nextWake);
    await Promise.race([
      Promise.allSettled([
        ...this.workers.map((worker) => worker.close()),
        ...[...this.queues.values()].map((queue) => queue.close()),
      ]),
      new Promise((resolve) => setTimeout(resolve, TIMING.farewell)),
    ]);
  }
}

async function evictionPolicy(redisUrl: string): Promise<string> {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    connectTimeout: 5_000,
    socketTimeout: SILENT_SOCKET,
  });
  // Told by the rejected call as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const info = await redis.info('memory');
    return /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
  }
}

/** How long BullMQ waits for a job in one blocking command, in seconds. */
const BLOCKING_WAIT = 2;

/**
 * A connection that answers nothing for so long after a command is a half-open one, and is made anew; without this its
 * worker would wait on it for ever. Longer than a blocking command, far shorter than the silence that I9 allows.
 */
const SILENT_SOCKET = 4_000;

function openQueue(lane: Lane, options: QueuedOptions): Queue<Wake> {
  const queue = new Queue<Wake>(queueName(lane), { connection: connectionTo(options, false) });
  queue.on('error', options.onError);
  return queue;
}

function queueName(lane: Lane): string {
  return `quartermaster-${lane}`;
}

function connectionTo({ redisUrl }: QueuedOptions, patient: boolean): ConnectionOptions {
  return {
    url: redisUrl,
    maxRetriesPerRequest: patient ? null : 1,
    enableOfflineQueue: patient,
    connectTimeout: 5_000,
    socketTimeout: SILENT_SOCKET,
    retryStrategy: (times) => Math.min(100 * times, 1_000),
  };
}
