import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { alignedBuffers, CHUNK, MediumError, type Medium } from './medium.js';

/** Bytes of the mark. */
const MARK = 4096;
const MARK_WORDS = 'NOT VERIFIED: Quartermaster was writing this medium and has not come to the end. Do not use it.';

export interface ImageOnMedium {
  medium: Medium;
  /** The image, open for reading. */
  source: FileHandle;
  sizeBytes: number;
  /** Called with the bytes that are done. */
  tell: (done: number) => void;
  /** Stops between two chunks. */
  signal: AbortSignal;
}

/** What is on a medium isn't what was to be there. */
export class DifferentContent extends Error {
  override readonly name = 'DifferentContent';
}

/**
 * Writes all of an image but its first chunk. In place of that stands a mark, so that nothing starts from a medium which
 * wasn't read back: whoever pulls it out, or the plug, has no stick that looks whole. `completeImage` takes the mark off.
 */
export async function writeBehindMark({ medium, source, sizeBytes, tell, signal }: ImageOnMedium): Promise<void> {
  const [one, other] = alignedBuffers();
  one.fill(0, 0, MARK).write(MARK_WORDS);
  await medium.write(one, Math.min(MARK, sizeBytes), 0);
  await inChunks([one, other], CHUNK, sizeBytes, signal, {
    read: (into, position) => readSource(source, into, position, sizeBytes),
    use: async (chunk, position, buffer) => {
      await medium.write(buffer, chunk.length, position);
      tell(position + chunk.length);
    },
  });
  await medium.sync();
}

/**
 * Reads back all that `writeBehindMark` wrote.
 * @returns SHA-256 in lower-case hex of the image's first chunk, which isn't there yet, and of everything behind it as it
 * is on the medium
 */
export async function readBehindMark({ medium, source, sizeBytes, tell, signal }: ImageOnMedium): Promise<string> {
  const buffers = alignedBuffers();
  const hash = createHash('sha256');
  hash.update(await readSource(source, buffers[0], 0, sizeBytes));
  await inChunks(buffers, CHUNK, sizeBytes, signal, {
    read: (into, position) => medium.read(into, position, sizeBytes),
    use: (chunk, position) => {
      hash.update(chunk);
      tell(position + chunk.length);
    },
  });
  return hash.digest('hex');
}

/**
 * Writes the first chunk in place of the mark, and reads it back.
 * @param before bytes that a file had; it isn't made shorter
 * @throws DifferentContent
 */
export async function completeImage(
  { medium, source, sizeBytes }: Omit<ImageOnMedium, 'tell' | 'signal'>,
  before: number,
): Promise<void> {
  const [buffer, again] = alignedBuffers();
  const first = await readSource(source, buffer, 0, sizeBytes);
  await medium.write(buffer, first.length, 0);
  await medium.endAt(Math.max(before, sizeBytes));
  await medium.sync();
  const there = await medium.read(again, 0, sizeBytes);
  const difference = placeOfDifference(first, there);
  if (difference !== null) throw differs(difference);
}

/** SHA-256 in lower-case hex of as much of a medium as the image is long. */
export async function hashMedium({ medium, sizeBytes, tell, signal }: Omit<ImageOnMedium, 'source'>): Promise<string> {
  const hash = createHash('sha256');
  await inChunks(alignedBuffers(), 0, sizeBytes, signal, {
    read: (into, position) => medium.read(into, position, sizeBytes),
    use: (chunk, position) => {
      if (position === 0 && isMarked(chunk)) {
        throw new DifferentContent('It was never written to its end, or never read back: its mark is still on it.');
      }
      hash.update(chunk);
      tell(position + chunk.length);
    },
  });
  return hash.digest('hex');
}

/** Tells where a medium differs from the image. @param from where to begin to look, at a whole number of chunks */
export async function differenceFrom(
  { medium, source, sizeBytes }: Omit<ImageOnMedium, 'tell' | 'signal'>,
  from: number,
): Promise<DifferentContent> {
  const [one, other] = alignedBuffers();
  for (let position = from; position < sizeBytes; position += CHUNK) {
    const wanted = await readSource(source, one, position, sizeBytes);
    const difference = placeOfDifference(wanted, await medium.read(other, position, sizeBytes));
    if (difference !== null) return differs(position + difference);
  }
  return new DifferentContent('It read back differently once, and not again: the medium can’t be relied on.');
}

function differs(position: number): DifferentContent {
  return new DifferentContent(`It differs from the image at byte ${position}.`);
}

export function isMarked(content: Buffer): boolean {
  return content.subarray(0, MARK_WORDS.length).toString('latin1') === MARK_WORDS;
}

interface Chunks {
  read: (into: Buffer, position: number) => Promise<Buffer>;
  /** @param buffer the memory that the chunk lies in */
  use: (chunk: Buffer, position: number, buffer: Buffer) => void | Promise<void>;
}

/** The next chunk is read while the one before is used. */
async function inChunks(
  buffers: readonly [Buffer, Buffer],
  from: number,
  end: number,
  signal: AbortSignal,
  { read, use }: Chunks,
): Promise<void> {
  const start = (position: number, turn: number): Promise<Buffer> | null => {
    if (position >= end) return null;
    const reading = read(buffers[turn % 2 === 0 ? 0 : 1], position);
    // What fails while the chunk before is in use is told when its own turn comes.
    reading.catch(() => undefined);
    return reading;
  };
  let next = start(from, 0);
  try {
    for (let [position, turn] = [from, 0]; next !== null; turn += 1) {
      signal.throwIfAborted();
      const chunk = await next;
      next = start(position + chunk.length, turn + 1);
      await use(chunk, position, buffers[turn % 2 === 0 ? 0 : 1]);
      position += chunk.length;
    }
  } finally {
    // It still writes into our memory.
    await next?.catch(() => undefined);
  }
}

async function readSource(source: FileHandle, into: Buffer, position: number, end: number): Promise<Buffer> {
  const wanted = Math.min(into.length, end - position);
  for (let filled = 0; filled < wanted;) {
    const { bytesRead } = await source.read(into, filled, wanted - filled, position + filled);
    if (bytesRead === 0) throw new MediumError('The image became shorter while it was read.');
    filled += bytesRead;
  }
  return into.subarray(0, wanted);
}

/** Where the first byte differs; null: none does. Both are of one length. */
function placeOfDifference(one: Buffer, other: Buffer): number | null {
  if (one.equals(other)) return null;
  return one.findIndex((byte, index) => byte !== other[index]);
}
