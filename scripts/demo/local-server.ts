import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { programOnPath } from '../embedded/program-on-path.js';
import type { ServerUser } from '../embedded/server-user.js';

const START_LIMIT_MS = 20_000;

interface LocalServer {
  program: string;
  args: readonly string[];
  isReady: () => Promise<boolean>;
}

/** What ends a server with us is Linux' own (`setpriv` of util-linux). */
export function canStartLocalServers(): boolean {
  return programOnPath('setpriv') !== null;
}

/** Starts a server that ends with us, however we end, and waits until it answers. Answers how to stop it. */
export async function startLocalServer(
  { program, args, isReady }: LocalServer,
  logFile: string,
  user?: ServerUser,
): Promise<() => Promise<void>> {
  const log = openSync(logFile, 'a', 0o600);
  // Ctrl-C must reach the demo only, which then ends everything in order; the kernel ends it should we be killed.
  const child = spawn('setpriv', ['--pdeathsig', 'SIGKILL', program, ...args], {
    ...user,
    detached: true,
    stdio: ['ignore', log, log],
  });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const until = performance.now() + START_LIMIT_MS;
  while (!(await isReady())) {
    if (child.exitCode === null && performance.now() < until) await pause(50);
    else {
      await stop();
      throw new Error(`${program} did not start; ${logFile} says why.`);
    }
  }
  return stop;
}
