import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cloneFolder } from './embedded/places.js';

/** A command of ours said no. The message is what it wrote; where it came from helps nobody. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
}

/**
 * Runs `quartermaster <args>`, the built command line, and answers what it wrote.
 *
 * @throws {CliFailure} when it fails
 */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<string> {
  const program = join(cloneFolder(), 'dist', 'src', 'cli.main.js');
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
      cwd: cloneFolder(),
      env: { ...process.env, ...env },
      signal,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new CliFailure(`quartermaster ${args.join(' ')} failed:\n${`${stdout}${stderr}`.trim() || String(error)}`);
  }
}
