import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits as 43 characters of base64url: nobody guesses it, so a plain hash keeps it safely. */
export function newSecretToken(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256, which is all the database keeps of a token. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
