import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Medium } from '../../../src/images/usb/medium.js';
import { completeImage, readBehindMark, writeBehindMark } from '../../../src/images/usb/write-image.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { median, spreadOf } from '../statistics.js';

const run = promisify(execFile);
const MIB = 1 << 20;

/**
 * Writing an image and reading it back, as `usb write` does, against `dd` with direct I/O both ways and `openssl` computing
 * the hash: on one medium (a file on this disk, past the kernel's memory), in turns, the image being in memory for both.
 */
export const usb: Measure = {
  name: 'usb',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const [rounds, size] = smoke ? [2, 64 * MIB] : [7, 1024 * MIB];
    const folder = join(stage.folder, 'usb');
    await mkdir(folder, { recursive: true });
    const [source, target] = [join(folder, 'image'), join(folder, 'stick')];
    const sha256 = await fill(source, size);
    try {
      // What is overwritten is there already, as on a stick.
      await fill(target, size);
      const ratios: number[] = [];
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round += 1) {
        const byUs = () => timed(() => writeAndReadBack(source, target, size, sha256));
        const byDd = () => timed(() => ddAndHash(source, target, sha256));
        // Whoever is first in a round has the quieter disk: they take turns.
        const [first, second] = round % 2 === 0 ? [byUs, byDd] : [byDd, byUs];
        const seconds = [await first(), await second()];
        const [us = 0, dd = 0] = round % 2 === 0 ? seconds : seconds.toReversed();
        ours.push(us);
        theirs.push(dd);
        ratios.push((100 * dd) / us);
      }
      const rate = (seconds: readonly number[]) => `${(size / 1e6 / median(seconds)).toFixed(0)} MB/s`;
      return [
        {
          name: 'writing an image to a medium and reading all of it back, of what dd with direct I/O and openssl do',
          figure: median(ratios),
          unit: '%',
          bound: { least: 90 },
          aim: { least: 100 },
          spread: spreadOf(ratios),
          samples: rounds,
          notes: [`${rate(ours)} there and back; dd and openssl ${rate(theirs)}; an image of ${size / MIB} MiB`],
          ...(smoke && { short: `an image of ${size / MIB} MiB, ${rounds} times` }),
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function writeAndReadBack(path: string, target: string, sizeBytes: number, sha256: string): Promise<void> {
  const source = await open(path);
  const medium = await Medium.open(target, { isDisk: false, forWriting: true, blockSize: 4096 });
  try {
    if (!medium.uncached) throw new Error('this disk has no direct I/O');
    const image = { medium, source, sizeBytes, tell: () => undefined, signal: new AbortController().signal };
    await writeBehindMark(image);
    if ((await readBehindMark(image)) !== sha256) throw new Error('it did not read back as it was written');
    await completeImage(image, sizeBytes);
  } finally {
    await medium.close();
    await source.close();
  }
}

async function ddAndHash(source: string, target: string, sha256: string): Promise<void> {
  await run('dd', [`if=${source}`, `of=${target}`, 'bs=4M', 'oflag=direct', 'conv=notrunc,fsync', 'status=none']);
  const readBack = 'dd if="$1" bs=4M iflag=direct status=none | openssl dgst -sha256 -r';
  const { stdout } = await run('sh', ['-c', readBack, 'sh', target]);
  if (!stdout.startsWith(sha256)) throw new Error('dd did not read back what it had written');
}

/** Random bytes, on the disk. @returns their SHA-256 in lower-case hex */
async function fill(path: string, size: number): Promise<string> {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += 16 * MIB) {
    const bytes = randomBytes(16 * MIB);
    hash.update(bytes);
    await file.write(bytes);
  }
  await file.sync();
  await file.close();
  return hash.digest('hex');
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return (performance.now() - started) / 1_000;
}
