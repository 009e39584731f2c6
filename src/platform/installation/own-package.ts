import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const Manifest = z.object({ version: z.string() });

/** The folder of our own package.json, wherever below it this file was compiled to. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** Of the program that runs, as in `0.1.0`. */
export function packageVersion(): string {
  return Manifest.parse(JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'))).version;
}
