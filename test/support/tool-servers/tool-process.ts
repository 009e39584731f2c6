import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { makeReachableFolder } from '../../../scripts/embedded/places.js';
import { commandLine, goneWithin, signal } from '../../../scripts/embedded/process-list.js';
import { serverUser } from '../../../scripts/embedded/server-user.js';
import { PROCESS_RECORD } from '../run-folder.js';
import { waitFor } from '../wait-for.js';

export { programOnPath } from '../../../scripts/embedded/program-on-path.js';

/** A server of a test file's own: everything it writes is below `folder`, which the run removes at its end. */
export interface ToolProcess {
  pid: number;
  /** By the process id, never by a name; waits until it is gone. */
  stop(): Promise<void>;
}

export interface ToolProgram {
  program: string;
  args: readonly string[];
  folder: string;
  env?: Readonly<Record<string, string>>;
  /** For servers that have to change users themselves (sshd, samba). Default: an ordinary user. */
  asOurselves?: boolean;
  /** Answers true once the server answers. */
  isReady: () => Promise<boolean>;
  withinMs?: number;
}

/** A folder below the run's, which belongs to the user that servers run as. */
export async function makeToolFolder(name: string): Promise<string> {
  const above = join(inject('runFolder'), `${name}-${randomUUID().slice(0, 8)}`);
  await makeReachableFolder(above);
  const folder = join(above, 'files');
  await mkdir(folder);
  await giveToServer(folder);
  return folder;
}

export async function giveToServer(path: string): Promise<void> {
  const user = serverUser();
  if (user) await chown(path, user.uid, user.gid);
  await chmod(path, path.endsWith('files') ? 0o700 : 0o600);
}

/** Starts a server and waits until it answers. The run's record ends it, should we be killed. */
export async function startToolProcess({
  program,
  args,
  folder,
  env,
  asOurselves = false,
  isReady,
  withinMs = 30_000,
}: ToolProgram): Promise<ToolProcess> {
  const logPath = join(folder, '..', 'output.log');
  const output = await open(logPath, 'a');
  const child = spawn(program, args, {
    ...(asOurselves ? undefined : serverUser()),
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8', ...env },
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  await output.close();
  const state = { ended: false };
  child.once('error', () => (state.ended = true));
  child.once('exit', () => (state.ended = true));
  child.unref();
  if (child.pid) recordProcess(child.pid, inject('runFolder'));

  await waitFor(`${program} answers`, async () => state.ended || (await isReady()), { withinMs }).catch(
    () => undefined,
  );
  const { pid } = child;
  if (pid && !state.ended && (await isReady())) return { pid, stop: () => endProcess(pid) };
  if (pid) signal(pid, 'SIGKILL');
  const log = await readFile(logPath, 'utf8').catch(() => '');
  throw new Error(`${program} did not start:\n${log.trim().split('\n').slice(-15).join('\n')}`);
}

/** `part` is a part of the command line, by which the next run knows the process again. */
export function recordProcess(pid: number, part: string): void {
  appendFileSync(join(inject('runFolder'), PROCESS_RECORD), `${pid} ${part}\n`);
}

/** Tests keep nothing, so nothing is waited for but the end. */
export async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGKILL');
  if (!(await goneWithin(10_000, () => commandLine(pid) === ''))) throw new Error(`process ${pid} can't be stopped`);
}
