import { createHash } from 'node:crypto';
import { ToolError } from '../kit/errors.js';

export const HASHING_ALGORITHM = 'rabbit_password_hashing_sha256';

/**
 * What RabbitMQ stores of a password, made here so that the password itself isn't sent. The salt is made of the name
 * and the password: it keeps people with one password apart, and two attempts of one step write the same, whichever
 * comes last. Throws `invalid`.
 */
export function passwordHash(name: string, password: string): string {
  if (!/^[\x20-\x7e]{8,}$/.test(password)) {
    throw new ToolError('invalid', 'A password must be at least 8 printable ASCII characters.');
  }
  const salt = createHash('sha256')
    .update(JSON.stringify(['quartermaster', name, password]))
    .digest()
    .subarray(0, 4);
  return saltedHash(password, salt);
}

/**
 * Four bytes of salt, and the SHA-256 of those and the password, in base64 (RabbitMQ documentation, “Credentials and
 * Passwords”, “Computing Password Hash”).
 */
export function saltedHash(password: string, salt: Buffer): string {
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
}
