import { readFile } from 'node:fs/promises';
import { NoteError } from '../platform/audit/signed-note.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure } from './command.js';

/** A public key that was written down, or the file where it was. @throws CommandFailure */
export async function readKey<Key>(textOrFile: string, parse: (text: string) => Key): Promise<Key> {
  try {
    return parse(textOrFile.includes('+') ? textOrFile : await contentOf(textOrFile));
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFailure(error.message, EXIT.usage);
    throw error;
  }
}

/** @throws CommandFailure */
export async function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(`${file} can’t be read (${error.code}).`, EXIT.usage);
  });
}
