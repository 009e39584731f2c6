import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { InstallationKey } from './installation-key.js';
import { KeyFileError, readPrivateFile, writePrivateFile } from './private-file.js';

const KEY_FILE = z.object({
  format: z.literal('quartermaster-key-1'),
  note: z.string(),
  key: z.base64().transform((text) => Buffer.from(text, 'base64')),
});

/** Makes a new key and writes it, mode 0600; never over a file that is there, since secrets may be sealed with it. */
export async function makeKeyFile(path: string): Promise<InstallationKey> {
  const bytes = randomBytes(32);
  const content: z.input<typeof KEY_FILE> = {
    format: 'quartermaster-key-1',
    note: 'Opens every secret of this installation. Back it up apart from the database; never put it in git.',
    key: bytes.toString('base64'),
  };
  await writePrivateFile(path, 'key file', `${JSON.stringify(content, null, 2)}\n`);
  return new InstallationKey(bytes);
}

export async function loadKeyFile(path: string): Promise<InstallationKey> {
  return parseKey(path, await readPrivateFile(path, 'key file', 'Make one with `quartermaster init`, or restore it.'));
}

export async function keyFileExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function parseKey(path: string, text: string): InstallationKey {
  let bytes: Buffer | undefined;
  try {
    bytes = KEY_FILE.parse(JSON.parse(text)).key;
  } catch {
    // The parser's message could quote the file: say only that it isn't one.
  }
  if (bytes?.length !== 32) {
    throw new KeyFileError(`${path} isn't a key file of Quartermaster, or it is damaged. Restore it from its backup.`);
  }
  return new InstallationKey(bytes);
}
