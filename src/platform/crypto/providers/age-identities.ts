import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { KeyFileError, readPrivateFile, writePrivateFile } from '../private-file.js';

const REMEDY = 'Make one with `quartermaster secrets make-identity`, or restore it from its backup.';

export interface AgeIdentity {
  identity: string;
  /** Its public half: `age1…`. */
  recipient: string;
}

/**
 * The identities in a file as `age-keygen` writes it: one a line, with comments (https://age-encryption.org/v1).
 * @throws KeyFileError
 */
export async function loadAgeIdentities(path: string): Promise<readonly [AgeIdentity, ...AgeIdentity[]]> {
  const text = await readPrivateFile(path, 'age identity file', REMEDY);
  const lines = text.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const known: AgeIdentity[] = [];
  for (const identity of identities) {
    try {
      known.push({ identity, recipient: await identityToRecipient(identity) });
    } catch {
      // The library's message could quote the line.
      throw new KeyFileError(`${path} isn't a file of age identities: each line begins with AGE-SECRET-KEY- or #.`);
    }
  }
  const [first, ...rest] = known;
  if (!first) throw new KeyFileError(`There is no age identity in ${path}. ${REMEDY}`);
  return [first, ...rest];
}

/** Makes an identity and writes it as `age-keygen` does, mode 0600. @returns its recipient. @throws KeyFileError */
export async function makeAgeIdentity(path: string): Promise<string> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await writePrivateFile(path, 'age identity file', `# public key: ${recipient}\n${identity}\n`);
  return recipient;
}
