import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogShelf } from './log-shelf.js';
import { replaceFile } from './replace-file.js';

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
      await mkdir(dirname(file), { recursive: true });
      await replaceFile(file, content, 0o644);
    },
  };
}
