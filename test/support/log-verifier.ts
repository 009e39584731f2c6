import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { programOnPath } from './tool-servers/tool-process.js';

/** Debian's folder of Go libraries, and the one that is needed of it. */
const GO_LIBRARIES = '/usr/share/gocode';
const TRANSPARENCY_LOGS = join(GO_LIBRARIES, 'src/golang.org/x/mod/sumdb/tlog');

export function hasLogVerifier(): boolean {
  return programOnPath('go') !== null && existsSync(TRANSPARENCY_LOGS);
}

export type LogVerifier = (...words: string[]) => Promise<string>;

/** Compiles `test/log-verifier` (about 2 s the first time in a run). What it answers is "ok …", or what is wrong. */
export async function buildLogVerifier(folder: string): Promise<LogVerifier> {
  const run = promisify(execFile);
  const program = join(folder, 'log-verifier');
  await run('go', ['build', '-o', program, join(cloneFolder(), 'test/log-verifier/main.go')], {
    env: {
      PATH: process.env['PATH'],
      GO111MODULE: 'off',
      GOPATH: GO_LIBRARIES,
      GOCACHE: join(inject('runFolder'), 'go-cache'),
    },
  });
  return async (...words) => {
    const { stdout } = await run(program, words).catch((error: { stdout?: string }) => {
      if (error.stdout === undefined) throw error;
      return { stdout: error.stdout };
    });
    return stdout.trim();
  };
}
