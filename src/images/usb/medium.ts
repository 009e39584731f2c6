import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** Bytes that are read and written at once. */
export const CHUNK = 4 << 20;
/** Bytes: what direct I/O asks of a file, whatever its disk. */
const PAGE = 4096;

/** It can't be written or read any more. */
export class MediumError extends Error {
  override readonly name = 'MediumError';
}

export interface MediumOptions {
  /** A disk; else a file. */
  isDisk: boolean;
  forWriting: boolean;
  /** Bytes that are written at once at least. */
  blockSize: number;
}

/**
 * A stick, a disk or a file, read and written past the memory of the kernel (O_DIRECT): what is read was on it. Where the
 * file system can't, as one that lives in memory, `uncached` says so.
 */
export class Medium {
  private constructor(
    private readonly file: FileHandle,
    /** Reading shows what the medium holds, not what the kernel remembers. */
    readonly uncached: boolean,
    private readonly block: number,
    private readonly isDisk: boolean,
  ) {}

  /** A disk is opened for us alone: the kernel refuses one that is in use, and refuses to mount it meanwhile. */
  static async open(path: string, { isDisk, forWriting, blockSize }: MediumOptions): Promise<Medium> {
    const { O_RDONLY, O_RDWR, O_EXCL, O_CREAT, O_DIRECT } = constants;
    const flags = forWriting ? O_RDWR | (isDisk ? O_EXCL : O_CREAT) : O_RDONLY;
    const opened = async (more: number) => open(path, flags | more, 0o600);
    const direct = await opened(O_DIRECT).catch(refused(path));
    if (direct && (await canReadDirectly(direct))) return new Medium(direct, true, isDisk ? blockSize : PAGE, isDisk);
    await direct?.close();
    const buffered = await opened(0).catch(refused(path));
    if (!buffered) throw new MediumError(`${path} can’t be opened.`);
    return new Medium(buffered, false, 1, isDisk);
  }

  /** The chunk from this place on: as much as fits into the buffer, or all there is up to `end`. */
  async read(into: Buffer, position: number, end: number): Promise<Buffer> {
    const wanted = Math.min(into.length, end - position);
    let filled = 0;
    while (filled < wanted) {
      // Whole blocks, even where less is wanted: the last one of a disk is read to its end.
      const { bytesRead } = await this.file
        .read(into, filled, into.length - filled, position + filled)
        .catch(failed('read', position + filled));
      filled += bytesRead;
      // A file's end may lie within a block, and direct I/O can't go on from there.
      const isEnd = bytesRead === 0 || bytesRead % this.block !== 0;
      if (isEnd && filled < wanted) {
        throw new MediumError(`It ends at byte ${position + filled}, before the image does.`);
      }
    }
    return into.subarray(0, wanted);
  }

  /** @param from aligned memory (`alignedBuffers`); what lies behind `length` in it may be overwritten */
  async write(from: Buffer, length: number, position: number): Promise<void> {
    const whole = Math.ceil(length / this.block) * this.block;
    from.fill(0, length, whole);
    for (let written = 0; written < whole;) {
      const { bytesWritten } = await this.file
        .write(from, written, whole - written, position + written)
        .catch(failed('written', position + written));
      if (bytesWritten === 0) throw new MediumError(`It is full at byte ${position + written}.`);
      written += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await this.file.sync().catch(failed('written', null));
  }

  /** Of a file: takes off what was written beyond its end, to fill a block. */
  async endAt(size: number): Promise<void> {
    if (!this.isDisk) await this.file.truncate(size);
  }

  /** In bytes; of a file. */
  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/**
 * Two buffers of a chunk each, so that one is filled while the other is used. Direct I/O wants memory at the beginning of a
 * page; Node's own buffers don't begin there, WebAssembly's memory does: the system gives it by the page.
 */
export function alignedBuffers(): [Buffer, Buffer] {
  const { Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyMemory }).WebAssembly;
  const pages = (2 * CHUNK) / (64 * 1024);
  const { buffer } = new Memory({ initial: pages, maximum: pages });
  return [Buffer.from(buffer, 0, CHUNK), Buffer.from(buffer, CHUNK, CHUNK)];
}

/** What we need of it; its types come with those of browsers only. */
interface WebAssemblyMemory {
  Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
}

/** Some file systems take the flag and refuse to read then. */
async function canReadDirectly(file: FileHandle): Promise<boolean> {
  const [buffer] = alignedBuffers();
  return file.read(buffer, 0, PAGE, 0).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EINVAL') return false;
      throw new MediumError(`It can’t be read at byte 0 (${error.code}): is it broken, or gone?`);
    },
  );
}

/** EINVAL is a file system without direct I/O. */
function refused(path: string): (error: NodeJS.ErrnoException) => null {
  return (error) => {
    if (error.code === 'EINVAL') return null;
    if (error.code === 'EBUSY') throw new MediumError(`${path} is in use. Unmount it, and close what uses it.`);
    if (error.code === 'EACCES' || error.code === 'EPERM') throw new MediumError(`You may not open ${path}.`);
    throw new MediumError(`${path} can’t be opened (${error.code}): is it there?`);
  };
}

function failed(what: 'read' | 'written', position: number | null): (error: NodeJS.ErrnoException) => never {
  return ({ code }) => {
    const where = position === null ? '' : ` at byte ${position}`;
    if (code === 'ENOSPC' || code === 'EFBIG' || code === 'EDQUOT') throw new MediumError(`It is full${where}.`);
    throw new MediumError(`It can’t be ${what}${where} (${code}): was it pulled out, or is it broken?`);
  };
}
