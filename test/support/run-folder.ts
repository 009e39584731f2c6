import { mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeReachableFolder } from '../../scripts/embedded/places.js';
import { commandLine, goneWithin, signal } from '../../scripts/embedded/process-list.js';
import { chmod } from 'node:fs/promises';

/** The process ids that a run started, one a line, each with the start of its command line. */
export const PROCESS_RECORD = 'processes';

const PREFIX = 'quartermaster-test-';

/** A file system in memory, as Linux has it. */
const IN_MEMORY = '/dev/shm';
/** Bytes that two servers with the databases of all tests never reach: what is gone is soon overwritten. */
const ROOM_FOR_SERVERS = 6 * 2 ** 30;

/** A folder of this test run's own; its name carries our process id, by which the next run sees that we are gone. */
export async function makeRunFolder(base = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(base, `${PREFIX}${process.pid}-`));
  await chmod(folder, 0o711);
  await makeReachableFolder(folder);
  return folder;
}

/**
 * Where the servers keep their data: in memory where there is room, since each test file's database is a copy of 700
 * files, which a disk's file system takes ten times as long to make; else null.
 */
export async function makeServersFolder(): Promise<string | null> {
  const room = await statfs(IN_MEMORY).catch(() => null);
  return room && room.bavail * room.bsize >= ROOM_FOR_SERVERS ? makeRunFolder(IN_MEMORY) : null;
}

/** Ends what killed test runs left behind, and removes their folders. */
export async function clearAbandonedRuns(): Promise<void> {
  // The processes are recorded in the first.
  for (const base of [tmpdir(), IN_MEMORY]) await clearAbandonedRunsIn(base);
}

async function clearAbandonedRunsIn(base: string): Promise<void> {
  for (const name of await readdir(base).catch(() => [])) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!owner || commandLine(owner) !== '') continue;
    const folder = join(base, name);
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
