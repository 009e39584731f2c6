import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageStore } from './image-store.js';

/** Bytes that are read at once. */
const BLOCK = 1 << 20;

/** A folder that all API servers see. Its files can be read by the service's user only. */
export function folderStore(folder: string): ImageStore {
  const fileOf = (key: string): string => join(folder, `${key}.img`);
  const draftOf = (key: string): string => join(folder, `${key}.part`);
  return {
    async append(key, _held, { from, chunks }, signal) {
      let position = from;
      let received = from;
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const file = await open(draftOf(key), constants.O_WRONLY | constants.O_CREAT, 0o600);
        try {
          for await (const chunk of chunks) {
            signal.throwIfAborted();
            await writeWhole(file, chunk, position);
            position += chunk.length;
          }
        } finally {
          await file
            // What is promised to be there has to outlive a power cut.
            .datasync()
            .then(() => (received = position))
            .finally(() => file.close());
        }
        return { received, held: {} };
      } catch (failure) {
        return { received, held: {}, failure };
      }
    },

    async seal(key, _held, signal) {
      signal.throwIfAborted();
      await rename(draftOf(key), fileOf(key)).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await stat(fileOf(key));
      });
      const names = await open(folder, constants.O_RDONLY);
      await names.sync().finally(() => names.close());
    },

    async read(key, first, last, signal) {
      // Opened here, so that one that isn't there is an error before anything was answered.
      const file = await open(fileOf(key), constants.O_RDONLY);
      return file.createReadStream({ start: first, end: last, highWaterMark: BLOCK, signal });
    },

    async remove(key, _held, signal) {
      signal.throwIfAborted();
      await rm(draftOf(key), { force: true });
      await rm(fileOf(key), { force: true });
    },
  };
}

async function writeWhole(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
}

/** A full disk, a quota, a limit of the size of files. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}
