import { createHash, randomBytes } from 'node:crypto';
import { ToolError } from '../kit/errors.js';

export const HASHING_ALGORITHM = 'rabbit_password_hashing_sha256';

/** What RabbitMQ stores of a password, made here so that the password itself isn't sent. Throws `invalid`. */
export function passwordHash(password: string): string {
  if (!/^[\x20-\x7e]{8,}$/.test(password)) {
    throw new ToolError('invalid', 'A password must be at least 8 printable ASCII characters.');
  }
  return saltedHash(password, randomBytes(4));
}

/**
 * Four random bytes, and the SHA-256 of those and the password, in base64 (RabbitMQ documentation, “Credentials and
 * Passwords”, “Computing Password Hash”).
 */
export function saltedHash(password: string, salt: Buffer): string {
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
}
