import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeReachableFolder } from '../../scripts/embedded/places.js';
import { commandLine, goneWithin, signal } from '../../scripts/embedded/process-list.js';
import { chmod } from 'node:fs/promises';

/** The process ids that a run started, one a line, each with the start of its command line. */
export const PROCESS_RECORD = 'processes';

const PREFIX = 'quartermaster-test-';

/** A folder of this test run's own; its name carries our process id, by which the next run sees that we are gone. */
export async function makeRunFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  await chmod(folder, 0o711);
  await makeReachableFolder(folder);
  return folder;
}

/** Ends what killed test runs left behind, and removes their folders. */
export async function clearAbandonedRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!owner || commandLine(owner) !== '') continue;
    const folder = join(tmpdir(), name);
    try {
      await endEverything(folder);
    } catch {
      // Another user's run, or another run clears it at this moment.
    }
  }
}

/** Kills each recorded process that still lives, and removes the folder: tests keep nothing. */
export async function endEverything(folder: string): Promise<void> {
  const record = await readFile(join(folder, PROCESS_RECORD), 'utf8').catch(() => '');
  const alive = record
    .split('\n')
    .map((line) => {
      const [pid = '', ...command] = line.split(' ');
      return { pid: Number(pid), command: command.join(' ') };
    })
    // The command line is compared, since another program may have the process id by now.
    .filter(({ pid, command }) => pid > 0 && command !== '' && commandLine(pid).includes(command));
  for (const { pid } of alive) signal(pid, 'SIGKILL');
  await goneWithin(5_000, () => alive.every(({ pid, command }) => !commandLine(pid).includes(command)));
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
