import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { imageStoreAt, type Held, type ImageStore } from './image-store.js';

const MIB = 1 << 20;
/** As it comes from a socket. */
const CHUNK = 64 * 1024;

let folder: string;
let s3: S3rver;
const sockets = new Set<Socket>();
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
  (s3 as unknown as { httpServer: Server }).httpServer.on('connection', (socket: Socket) => sockets.add(socket));
  process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
  stores['a folder'] = imageStoreAt(join(folder, 'images'));
  stores['a bucket'] = imageStoreAt(`s3://images/acme?endpoint=http://127.0.0.1:${port}&region=eu-central-1`);
});
afterAll(async () => {
  await s3?.close();
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
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

describe.each(['a folder', 'a bucket'])('a store in %s', (name) => {
  it('keeps what comes in pieces of any size, and reads it in ranges', async () => {
    const store = storeNamed(name);
    const content = randomBytes(20 * MIB + 123);
    let held: Held = {};
    let there = 0;
    for (const until of [1, 7_000_000, 14_000_000, content.length]) {
      const piece = inChunks(content.subarray(there, until));
      const appended = await store.append('pieces', held, there, content.length, piece);
      expect(appended).toMatchObject({ received: until });
      // As it goes through the database.
      held = JSON.parse(JSON.stringify(appended.held)) as Held;
      there = until;
    }
    await expect(store.read('pieces', 0, 9, never)).rejects.toThrow();
    await store.seal('pieces', held);
    await store.seal('pieces', held);
    expect(content.equals(await buffer(await store.read('pieces', 0, content.length - 1, never)))).toBe(true);
    const part = await buffer(await store.read('pieces', 16 * MIB - 5, 16 * MIB + 4, never));
    expect(part).toEqual(content.subarray(16 * MIB - 5, 16 * MIB + 5));
    await store.remove('pieces', held);
    await store.remove('pieces', held);
    await expect(store.read('pieces', 0, 9, never)).rejects.toThrow();
    const files = await readdir(folder, { recursive: true });
    expect(files.filter((file) => file.includes('pieces') && !file.includes('uploads'))).toEqual([]);
  });

  it('goes on from what was recorded, whatever a process that died had sent beyond it', async () => {
    const store = storeNamed(name);
    const content = randomBytes(18 * MIB);
    const append = (held: Held, from: number, until: number) =>
      store.append('died', held, from, content.length, inChunks(content.subarray(from, until)));
    const recorded = await append({}, 0, 10 * MIB);
    const lost = structuredClone(recorded.held);
    expect(await append(lost, 10 * MIB, 17 * MIB)).toMatchObject({ received: 17 * MIB });
    const whole = await append(recorded.held, 10 * MIB, content.length);
    expect(whole).toMatchObject({ received: content.length });
    await store.seal('died', whole.held);
    expect(content.equals(await buffer(await store.read('died', 0, content.length - 1, never)))).toBe(true);
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
    expect(await store.append('large', {}, 0, SIZE, sender)).toMatchObject({ received: SIZE });
    return backlog;
  };

  it('while 64 MB go into a folder, and out again to somebody who is slow', async () => {
    const store = storeNamed('a folder');
    const draft = join(folder, 'images', 'large.part');
    const written = () => statSync(draft, { throwIfNoEntry: false })?.size ?? 0;
    expect(await greatestBacklog(store, written)).toBeLessThan(MIB);
    await store.seal('large', {});
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
