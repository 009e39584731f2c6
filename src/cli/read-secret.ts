import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure } from './command.js';

export const SECRET_FILE = '--secret-file <file>';
export const STANDARD_INPUT = '-';

/** Never from the arguments: those are in the shell's history and in the list of processes. */
export async function readSecret(file: string): Promise<string> {
  try {
    return (file === STANDARD_INPUT ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
  } catch {
    throw new CommandFailure(`The secret can't be read from ${file}.`, EXIT.usage);
  }
}
