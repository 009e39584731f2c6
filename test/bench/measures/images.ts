import { createHash, randomBytes } from 'node:crypto';
import { Agent, get, request, type IncomingMessage } from 'node:http';
import type { BenchContext, Measure } from '../measure.js';
import { residentMb } from '../resident.js';
import type { Row } from '../row.js';
import { BenchService } from '../stage/bench-service.js';
import { median, spreadOf } from '../statistics.js';
import { until } from '../wait.js';

const ALL = 20e9;
/** As our own client sends it. */
const PIECE = 16 << 20;
/** Bytes that go both ways before anything is measured: buffers that are kept, and code that is compiled. */
const WARM_UP = 256e6;
const SAMPLING = 200;
/** There and back, at the rate of the warm-up. */
const BUDGET_SECONDS = 240;
const TIMES = ['going up', 'being read back', 'coming down'] as const;

/** A large image goes up to a folder, is read back by the service, and comes down: what that does to its memory. */
export const images: Measure = {
  name: 'images',
  async run({ stage, smoke, say }: BenchContext): Promise<Row[]> {
    const database = await stage.database();
    const service = await BenchService.start(stage, { database, tools: 1, latency: 0 });
    const bench = new ImageBench(service);
    try {
      const warmUp = smoke ? WARM_UP / 8 : WARM_UP;
      const warmUpSeconds = (await bench.trip(warmUp)).reduce((sum, one) => sum + one, 0);
      // A machine that is slow, or busy with something else, shows less rather than taking the other measures' time.
      const size = smoke ? 200e6 : Math.min(ALL, Math.floor((warmUp / warmUpSeconds) * BUDGET_SECONDS));
      const gigabytes = Number((size / 1e9).toFixed(1));
      const before = await residentMb(service.pidOf('api'));
      const watch = bench.watchMemory();
      const seconds = await bench.trip(size);
      const seen = await watch.stop();
      const highest = Math.max(...seen);
      const rates = TIMES.map((name, index) => `${(size / 1e6 / (seconds[index] ?? 1)).toFixed(0)} MB/s ${name}`);
      say(`        ${rates.join(', ')}`);
      const tenth = Math.max(1, Math.floor(seen.length / 10));
      return [
        {
          name: `resident memory of an API server while an image of ${gigabytes} GB goes up, is read back and comes down: most above what it was`,
          figure: highest - before,
          unit: 'MB',
          bound: { most: 128 },
          aim: { most: 64 },
          spread: spreadOf(seen.map((mb) => mb - before)),
          samples: seen.length,
          notes: [
            rates.join(', '),
            `${before.toFixed(0)} MB before; median ${median(seen.slice(0, tenth)).toFixed(0)} MB in the first tenth, ${median(seen.slice(-tenth)).toFixed(0)} MB in the last`,
          ],
          ...(size < ALL && { short: `an image of ${gigabytes} GB only` }),
        },
      ];
    } finally {
      bench.close();
      await service.stop();
      await database.drop();
    }
  },
};

interface VersionSeen {
  id: string;
  content: { state: string; problem: string | null } | null;
}

class ImageBench {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private readonly piece = randomBytes(PIECE);
  private made = 0;

  constructor(private readonly service: BenchService) {}

  close(): void {
    this.agent.destroy();
  }

  /** There and back. @returns seconds, as `TIMES` names them */
  async trip(size: number): Promise<number[]> {
    const sha256 = this.hashOf(size);
    const image = await this.service.call<{ id: string }>('POST', '/v1/images', { name: `Bench ${(this.made += 1)}` });
    const about = {
      version: '1',
      os: 'debian-13',
      architecture: 'amd64',
      sizeBytes: size,
      sha256,
      manifest: { inputs: [] },
    };
    const { id } = await this.service.call<VersionSeen>('POST', `/v1/images/${image.id}/versions`, about);
    const up = await timed(() => this.send(id, size));
    const check = await timed(() =>
      until('the image is read back', () => this.isStored(id), { withinMs: 300_000, everyMs: 250 }),
    );
    const down = await timed(async () => {
      if ((await this.fetch(id)) !== sha256) throw new Error('what came down is not what went up');
    });
    const gone = await this.answerTo('DELETE', `/v1/images/versions/${id}/upload`, {});
    if (gone.statusCode !== 204) throw new Error(`the content could not be deleted: ${gone.statusCode}`);
    return [up, check, down];
  }

  watchMemory(): { stop: () => Promise<number[]> } {
    const pid = this.service.pidOf('api');
    const seen: number[] = [];
    let running: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      running = residentMb(pid).then((mb) => seen.push(mb));
    }, SAMPLING);
    return {
      stop: async () => {
        clearInterval(timer);
        await running;
        if (this.service.pidOf('api') !== pid) throw new Error('the API server was restarted while it was watched');
        return seen;
      },
    };
  }

  /** The content is one random piece, over and over: nothing on the way makes it smaller. */
  private hashOf(size: number): string {
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += PIECE) hash.update(this.piece.subarray(0, Math.min(PIECE, size - at)));
    return hash.digest('hex');
  }

  private async send(id: string, size: number): Promise<void> {
    for (let at = 0; at < size; at += PIECE) {
      const body = this.piece.subarray(0, Math.min(PIECE, size - at));
      const headers = {
        'tus-resumable': '1.0.0',
        'upload-offset': String(at),
        'content-type': 'application/offset+octet-stream',
        'content-length': String(body.length),
      };
      const answer = await this.answerTo('PATCH', `/v1/images/versions/${id}/upload`, headers, body);
      if (answer.statusCode !== 204) throw new Error(`a piece was answered ${answer.statusCode}`);
    }
  }

  private async isStored(id: string): Promise<true | undefined> {
    const { content } = await this.service.call<VersionSeen>('POST', `/v1/images/versions/${id}/check`);
    if (content?.state === 'refused' || content?.problem) throw new Error(`the image was refused: ${content.problem}`);
    return content?.state === 'stored' ? true : undefined;
  }

  private async answerTo(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.service.url}${path}`,
        { method, agent: this.agent, headers: { ...headers, ...this.service.authorization } },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer));
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  }

  /** @returns SHA-256 in lower-case hex */
  private async fetch(id: string): Promise<string> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = this.service.authorization;
      get(`${this.service.url}/v1/images/versions/${id}/content`, { agent: this.agent, headers }, resolve).once(
        'error',
        reject,
      );
    });
    const hash = createHash('sha256');
    for await (const chunk of answer) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return (performance.now() - started) / 1_000;
}
