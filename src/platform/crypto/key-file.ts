import { randomBytes } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InstallationKey } from './installation-key.js';

/** The key file can't be made or used; the message says why and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

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
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST'
      ? new KeyFileError(`${path} exists already. It isn't overwritten: secrets may be sealed with it.`)
      : new KeyFileError(`The key file ${path} can't be written (${error.code}). Check the folder and its owner.`);
  });
  await writeDurably(file, `${JSON.stringify(content, null, 2)}\n`);
  // The name as well: what is sealed with a key that a power cut took is lost.
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  return new InstallationKey(bytes);
}

export async function loadKeyFile(path: string): Promise<InstallationKey> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new KeyFileError(`There is no key file at ${path}. Make one with \`quartermaster init\`, or restore it.`)
      : new KeyFileError(`The key file ${path} can't be read (${error.code}). Check its owner and mode.`);
  });
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      const seen = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError(
        `The key file ${path} has mode ${seen}: others on this machine can read it. Run: chmod 600 ${path}`,
      );
    }
    return parseKey(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
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

async function writeDurably(file: FileHandle, content: string): Promise<void> {
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
