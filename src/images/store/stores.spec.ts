import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { imageStoreAt, type Appended, type Held, type ImageStore } from './image-store.js';

const MIB = 1 << 20;
/** As it comes from a socket. */
const CHUNK = 64 * 1024;

let folder: string;
let s3: S3rver;
const sockets = new Set<Socket>();
/** Which requests the bucket answers with an error of its own. */
let isAway: (url: string) => boolean = () => false;
const stores: Record<string, ImageStore> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'stores-'));
  s3 = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: join(folder, 'buckets'),
    configureBuckets: [{ name: 'images', configs: [] }],
  });
  const { port } = await s3.run();
  const { httpServer } = s3 as unknown as { httpServer: Server };
  httpServer.on('connection', (socket: Socket) => sockets.add(socket));
  const serve = httpServer.listeners('request') as RequestListener[];
  httpServer.removeAllListeners('request').on('request', (request, response) => {
    if (!isAway(request.url ?? '')) return serve.forEach((listener) => listener(request, response));
    request.resume();
    response.writeHead(500).end();
  });
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
  stores['a folder'] = imageStoreAt(join(folder, 'images'));
  stores['a bucket'] = imageStoreAt(`s3://images/acme?endpoint=http://127.0.0.1:${port}&region=eu-central-1`);
});
afterAll(async () => {
  await s3?.close();
  vi.unstubAllEnvs();
});

const storeNamed = (name: string): ImageStore => {
  const store = stores[name];
  if (!store) throw new Error(`no store ${name}`);
  return store;
};
const inChunks = (bytes: Buffer): AsyncIterable<Buffer> =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
    })(),
  );
const never = new AbortController().signal;
const append = async (
  store: ImageStore,
  key: string,
  held: Held,
  from: number,
  content: Buffer,
  until = content.length,
) => store.append(key, held, { from, size: content.length, chunks: inChunks(content.subarray(from, until)) }, never);
/** As it goes through the database. */
const recorded = ({ held }: Appended): Held => JSON.parse(JSON.stringify(held)) as Held;
const whole = async (store: ImageStore, key: string, size: number) => buffer(await store.read(key, 0, size - 1, never));
const filesOf = async (key: string) =>
  (await readdir(folder, { recursive: true })).filter((file) => file.includes(key) && !file.includes('uploads'));

describe.each(['a folder', 'a bucket'])('a store in %s', (name) => {
  it('keeps what comes in pieces of any size, and reads it in ranges', async () => {
    const store = storeNamed(name);
    const content = randomBytes(20 * MIB + 123);
    let held: Held = {};
    let there = 0;
    for (const until of [1, 7_000_000, 14_000_000, content.length]) {
      const appended = await append(store, 'pieces', held, there, content, until);
      expect(appended).toMatchObject({ received: until });
      held = recorded(appended);
      there = until;
    }
    await expect(store.read('pieces', 0, 9, never)).rejects.toThrow();
    await store.seal('pieces', held, never);
    await store.seal('pieces', held, never);
    expect(content.equals(await whole(store, 'pieces', content.length))).toBe(true);
    const part = await buffer(await store.read('pieces', 16 * MIB - 5, 16 * MIB + 4, never));
    expect(part).toEqual(content.subarray(16 * MIB - 5, 16 * MIB + 5));
    await store.remove('pieces', held, never);
    await store.remove('pieces', held, never);
    await expect(store.read('pieces', 0, 9, never)).rejects.toThrow();
    expect(await filesOf('pieces')).toEqual([]);
  });

  it('goes on from what was recorded, whatever a process that died had sent beyond it', async () => {
    const store = storeNamed(name);
    const content = randomBytes(18 * MIB);
    const first = recorded(await append(store, 'died', {}, 0, content, 10 * MIB));
    const lost = await append(store, 'died', structuredClone(first), 10 * MIB, content, 17 * MIB);
    expect(lost).toMatchObject({ received: 17 * MIB });
    const rest = await append(store, 'died', first, 10 * MIB, content);
    expect(rest).toMatchObject({ received: content.length });
    await store.seal('died', rest.held, never);
    expect(content.equals(await whole(store, 'died', content.length))).toBe(true);
    expect((await filesOf('died')).filter((file) => file.includes('tail'))).toEqual([]);
  });

  it('writes nothing more once its signal has fired', async () => {
    const store = storeNamed(name);
    const taken = new AbortController();
    const size = 18 * MIB;
    const chunks = (async function* () {
      for (let sent = CHUNK; sent <= size; sent += CHUNK) {
        yield randomBytes(CHUNK);
        // By then it is one part of a bucket, and a little.
        if (sent === 17 * MIB) taken.abort();
      }
    })();
    const { received, failure } = await store.append('taken', {}, { from: 0, size, chunks }, taken.signal);
    expect(failure).toMatchObject({ name: 'AbortError' });
    expect(received).toBe((name === 'a folder' ? 17 : 16) * MIB);
    await expect(store.seal('taken', {}, taken.signal)).rejects.toThrow();
    await expect(store.remove('taken', {}, taken.signal)).rejects.toThrow();
  });
});

describe('a bucket', () => {
  it('reads nothing back that came late from a process which was taken for dead', async () => {
    const store = storeNamed('a bucket');
    const content = randomBytes(3 * MIB);
    const first = recorded(await append(store, 'late', {}, 0, content, MIB));
    const next = await append(store, 'late', structuredClone(first), MIB, content, 2 * MIB);
    const late = await append(store, 'late', structuredClone(first), MIB, randomBytes(content.length), 2 * MIB);
    expect(late).toMatchObject({ received: 2 * MIB });
    const rest = await append(store, 'late', recorded(next), 2 * MIB, content);
    await store.seal('late', rest.held, never);
    expect(content.equals(await whole(store, 'late', content.length))).toBe(true);
  });

  it('keeps the parts that are there when the bucket fails in the middle, says why, and goes on behind them', async () => {
    const store = storeNamed('a bucket');
    const content = randomBytes(17 * MIB);
    isAway = (url) => url.includes('partNumber=2');
    const broken = await append(store, 'broken', {}, 0, content);
    isAway = () => false;
    expect(broken).toMatchObject({ received: 16 * MIB, failure: { $metadata: { httpStatusCode: 500 } } });
    const rest = await append(store, 'broken', recorded(broken), 16 * MIB, content);
    expect(rest).not.toHaveProperty('failure');
    await store.seal('broken', rest.held, never);
    expect(content.equals(await whole(store, 'broken', content.length))).toBe(true);
  });
});

describe('memory stays flat', () => {
  const SIZE = 64 * MIB;
  const chunk = randomBytes(CHUNK);

  /** @returns how many bytes at most were taken from the sender and weren't passed on yet */
  const greatestBacklog = async (store: ImageStore, passedOn: () => number): Promise<number> => {
    let [taken, backlog] = [0, 0];
    const sender = new Readable({
      read() {
        backlog = Math.max(backlog, taken - passedOn());
        this.push(taken < SIZE ? chunk : null);
        taken += CHUNK;
      },
    });
    const appended = await store.append('large', {}, { from: 0, size: SIZE, chunks: sender }, never);
    expect(appended).toMatchObject({ received: SIZE });
    return backlog;
  };

  it('while 64 MB go into a folder, and out again to somebody who is slow', async () => {
    const store = storeNamed('a folder');
    const draft = join(folder, 'images', 'large.part');
    const written = () => statSync(draft, { throwIfNoEntry: false })?.size ?? 0;
    expect(await greatestBacklog(store, written)).toBeLessThan(MIB);
    await store.seal('large', {}, never);
    const content = await store.read('large', 0, SIZE - 1, never);
    let [passedOn, backlog] = [0, 0];
    for await (const one of content) {
      passedOn += (one as Buffer).length;
      backlog = Math.max(backlog, (content as unknown as { bytesRead: number }).bytesRead - passedOn);
    }
    expect(passedOn).toBe(SIZE);
    expect(backlog).toBeLessThan(4 * MIB);
  });

  it('while 64 MB go into a bucket: a part is sent before the next is taken', async () => {
    const sent = () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    const before = sent();
    expect(await greatestBacklog(storeNamed('a bucket'), () => sent() - before)).toBeLessThan(17 * MIB);
  });
});
