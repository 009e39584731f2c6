import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogShelf } from './log-shelf.js';

/** A folder, for a web server or another machine to take it from. Its files can be read by anybody who gets there. */
export function folderShelf(folder: string): LogShelf {
  return {
    async read(path) {
      return readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
    },
    async write(path, content) {
      const file = join(folder, path);
      const draft = `${file}.${randomUUID()}`;
      await mkdir(dirname(file), { recursive: true });
      const handle = await open(draft, 'wx', 0o644);
      try {
        await handle.writeFile(content);
        await handle.sync();
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      } finally {
        await handle.close();
      }
    },
  };
}
