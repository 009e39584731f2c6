import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file with a key can't be made or used; the message says why and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * The text of a file that only its owner may read.
 * @param what as in "key file", for the message
 * @param remedy how to come by one, as a sentence
 * @throws KeyFileError
 */
export async function readPrivateFile(path: string, what: string, remedy: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new KeyFileError(`There is no ${what} at ${path}. ${remedy}`)
      : new KeyFileError(`The ${what} ${path} can't be read (${error.code}). Check its owner and mode.`);
  });
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      const seen = (mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError(
        `The ${what} ${path} has mode ${seen}: others on this machine can read it. Run: chmod 600 ${path}`,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Mode 0600, on the disk when this returns; never over a file that is there. @throws KeyFileError */
export async function writePrivateFile(path: string, what: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST'
      ? new KeyFileError(`${path} exists already. It isn't overwritten: secrets may be sealed with it.`)
      : new KeyFileError(`The ${what} ${path} can't be written (${error.code}). Check the folder and its owner.`);
  });
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  // The name as well: what is sealed with a key that a power cut took is lost.
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
