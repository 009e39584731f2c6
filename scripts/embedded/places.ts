import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runsAsRoot } from './server-user.js';

/** The clone this file belongs to: the nearest folder above it with a package.json, from the sources and from dist/ alike. */
export function cloneFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return realpathSync(folder);
}

/**
 * Where the embedded servers of this clone keep their data. Each clone has its own, named by a hash of its path, so
 * that two clones never open each other's database. Root's is under /var/lib, because the servers run as `nobody`
 * there and can't enter root's home.
 */
export function quartermasterDataFolder(): string {
  const chosen = process.env['QUARTERMASTER_DATA'];
  if (chosen) return chosen;
  const clone = createHash('sha256').update(cloneFolder()).digest('hex').slice(0, 12);
  if (runsAsRoot()) return join('/var/lib/quartermaster', clone);
  return join(process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'quartermaster', clone);
}

/** Makes a folder that the servers' user can enter (not list), whatever the umask; refuses one below a closed folder. */
export async function makeReachableFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true });
  if (!runsAsRoot()) return;
  if (firstMade) {
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await chmod(made, 0o711);
  }
  for (let above = folder; above !== dirname(above); above = dirname(above)) {
    const everybodyMayEnter = ((await stat(above)).mode & 0o001) !== 0;
    if (!everybodyMayEnter) {
      throw new Error(
        `The embedded servers run as the user nobody, who can't enter ${above}. ` +
          'Set QUARTERMASTER_DATA to a folder that every user may enter.',
      );
    }
  }
}
