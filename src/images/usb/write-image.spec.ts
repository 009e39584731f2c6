import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CHUNK, Medium } from './medium.js';
import { completeImage, differenceFrom, hashMedium, readBehindMark, writeBehindMark } from './write-image.js';

const run = promisify(execFile);
const SIZE = 3 * CHUNK + 512 * 7;
const CAPACITY = 4 * CHUNK;

/** A medium and the file that its bytes are in: of a loop device, the one behind it. */
interface Target {
  path: string;
  behind: string;
  isDisk: boolean;
}

const undo: (() => Promise<unknown>)[] = [];
/** As root on Linux there are loop devices, which are disks to everybody; elsewhere files have to do. */
const KINDS = process.platform === 'linux' && process.getuid?.() === 0 ? ['a file', 'a loop device'] : ['a file'];

let folder: string;
let image: Buffer;
let sha256: string;
let source: FileHandle;

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'medium-'));
  image = randomBytes(SIZE);
  sha256 = createHash('sha256').update(image).digest('hex');
  await writeFile(join(folder, 'image'), image);
  source = await open(join(folder, 'image'));
});
afterAll(async () => {
  await source?.close();
  for (const one of undo.toReversed()) await one();
});

let made = 0;
async function aTarget(kind: string, place = folder): Promise<Target> {
  const behind = join(place, `target-${(made += 1)}`);
  await writeFile(behind, '');
  await truncate(behind, CAPACITY);
  if (kind === 'a file') return { path: behind, behind, isDisk: false };
  const { stdout } = await run('losetup', ['--find', '--show', behind]);
  const path = stdout.trim();
  undo.push(() => run('losetup', ['--detach', path]));
  return { path, behind, isDisk: true };
}

async function onMedium<T>(
  { path, isDisk }: Target,
  work: (medium: Medium) => Promise<T>,
  forWriting = true,
): Promise<T> {
  const medium = await Medium.open(path, { isDisk, forWriting, blockSize: 512 });
  try {
    return await work(medium);
  } finally {
    await medium.close();
  }
}

const on = (medium: Medium) => ({
  medium,
  source,
  sizeBytes: SIZE,
  tell: () => undefined,
  signal: new AbortController().signal,
});

async function flip({ behind }: Target, position: number): Promise<void> {
  const file = await open(behind, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, position);
  await file.sync();
  await file.close();
}

describe.each(KINDS)('an image on %s', (kind) => {
  it('is written, read back past the memory of the kernel, and marked until then', async () => {
    const target = await aTarget(kind);
    await onMedium(target, async (medium) => {
      expect(medium.uncached).toBe(true);
      await writeBehindMark(on(medium));
      await expect(hashMedium(on(medium))).rejects.toThrow('its mark is still on it');
      expect(await readBehindMark(on(medium))).toBe(sha256);
      expect((await readFile(target.behind)).toString('latin1', 0, 12)).toBe('NOT VERIFIED');
      await completeImage(on(medium), CAPACITY);
      expect(await hashMedium(on(medium))).toBe(sha256);
    });
    const there = await readFile(target.behind);
    expect(there.length).toBe(CAPACITY);
    expect(there.subarray(0, SIZE).equals(image)).toBe(true);
  });

  it.each([CHUNK, 2 * CHUNK + 12_345, SIZE - 1])(
    'with a byte that flipped after writing is found, at byte %i, whatever the kernel remembers',
    async (position) => {
      const target = await aTarget(kind);
      await onMedium(target, async (medium) => {
        await writeBehindMark(on(medium));
        // Now the kernel has all of it in its memory, as it should be.
        await readFile(target.path);
        await flip(target, position);
        expect(await readBehindMark(on(medium))).not.toBe(sha256);
        expect((await differenceFrom(on(medium), CHUNK)).message).toBe(
          `It differs from the image at byte ${position}.`,
        );
      });
    },
  );

  it('with a byte that flipped later, in its first chunk too, is found by whoever verifies it', async () => {
    const target = await aTarget(kind);
    await onMedium(target, async (medium) => {
      await writeBehindMark(on(medium));
      await completeImage(on(medium), CAPACITY);
    });
    await flip(target, 77);
    await onMedium(
      target,
      async (medium) => {
        expect(await hashMedium(on(medium))).not.toBe(sha256);
        expect((await differenceFrom(on(medium), 0)).message).toContain('at byte 77.');
      },
      false,
    );
  });

  it('that is pulled away while it is read back is told of, with the place', async () => {
    const target = await aTarget(kind);
    await onMedium(target, async (medium) => {
      await writeBehindMark(on(medium));
      await truncate(target.behind, 2 * CHUNK);
      await expect(readBehindMark(on(medium))).rejects.toThrow(
        kind === 'a file' ? `It ends at byte ${2 * CHUNK}` : `can’t be read at byte ${2 * CHUNK}`,
      );
    });
  });

  it('is interrupted between two chunks, and says on itself that it isn’t verified', async () => {
    const target = await aTarget(kind);
    const stop = new AbortController();
    await onMedium(target, async (medium) => {
      const interrupted = { ...on(medium), tell: () => stop.abort(new Error('Ctrl-C')), signal: stop.signal };
      await expect(writeBehindMark(interrupted)).rejects.toThrow('Ctrl-C');
      await expect(hashMedium(on(medium))).rejects.toThrow('never written to its end');
    });
  });
});

describe('an image of any length', () => {
  it.each([1, 511, 4096, 70_001, CHUNK, CHUNK + 1])(
    'of %i bytes is a file of that length afterwards',
    async (sizeBytes) => {
      const path = join(folder, `odd-${sizeBytes}`);
      await onMedium({ path, behind: path, isDisk: false }, async (medium) => {
        const odd = { ...on(medium), sizeBytes };
        await writeBehindMark(odd);
        const wanted = createHash('sha256').update(image.subarray(0, sizeBytes)).digest('hex');
        expect(await readBehindMark(odd)).toBe(wanted);
        await completeImage(odd, 0);
        expect(await hashMedium(odd)).toBe(wanted);
      });
      expect((await readFile(path)).equals(image.subarray(0, sizeBytes))).toBe(true);
    },
  );
});

describe('a target that is full', () => {
  it('is told of, with the place', async () => {
    // Whatever is written there, the kernel says that there is no room.
    await onMedium({ path: '/dev/full', behind: '', isDisk: false }, async (medium) => {
      expect(medium.uncached).toBe(false);
      await expect(writeBehindMark(on(medium))).rejects.toThrow('It is full at byte 0.');
    });
  });

  it.runIf(KINDS.length > 1)('is told of in the middle, of a file on a small disk and of a disk', async () => {
    const small = join(folder, 'small');
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${CHUNK + (CHUNK >> 1)}`, 'tmpfs', small]);
    undo.push(() => run('umount', ['--lazy', small]));
    for (const kind of KINDS) {
      const target = await aTarget(kind, small);
      await onMedium(target, (medium) =>
        expect(writeBehindMark(on(medium))).rejects.toThrow(/It is full at byte [1-9]\d+\./),
      );
      await truncate(target.behind, 0);
    }
  });
});
