import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { packageFolder } from '../installation/own-package.js';

const zip = promisify(gzip);

/** By the name's ending: everything that a build of ours makes. */
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface BuiltFile {
  type: string;
  plain: Buffer;
  zipped: Buffer;
}

interface Built {
  page: string;
  /** By name, which has a hash of the content in it. */
  files: ReadonlyMap<string, BuiltFile>;
}

/** The user interface as `npm run build` made it, read once and compressed once: it is small, and asked for often. */
@Injectable()
export class BuiltPages {
  private reading: Promise<Built | null> | undefined;

  /** The page of every address of the interface; null where none was built. */
  async page(): Promise<string | null> {
    return (await this.built())?.page ?? null;
  }

  async file(name: string): Promise<BuiltFile | null> {
    return (await this.built())?.files.get(name) ?? null;
  }

  private built(): Promise<Built | null> {
    return (this.reading ??= read(join(packageFolder(), 'dist', 'ui')));
  }
}

async function read(folder: string): Promise<Built | null> {
  if (!existsSync(join(folder, 'index.html'))) return null;
  const assets = join(folder, 'assets');
  const names = (await readdir(assets)).filter((name) => extname(name) in TYPES);
  const files = await Promise.all(
    names.map(async (name) => {
      const plain = await readFile(join(assets, name));
      const zipped = await zip(plain, { level: constants.Z_BEST_COMPRESSION });
      return [name, { type: TYPES[extname(name)] ?? '', plain, zipped }] as const;
    }),
  );
  return { page: await readFile(join(folder, 'index.html'), 'utf8'), files: new Map(files) };
}
