import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { ToolError } from '../kit/errors.js';

const ITERATIONS = 4096;

/**
 * What PostgreSQL stores of a password (`SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, all base64; RFC
 * 5803 and RFC 5802, section 3). Made here, so that the password itself never reaches the server or its log.
 * Takes printable ASCII only, for which SASLprep (RFC 4013) changes nothing. Throws `invalid` for others.
 */
export async function scramVerifier(password: string): Promise<string> {
  if (!/^[\x20-\x7e]{8,}$/.test(password)) {
    throw new ToolError('invalid', 'A password must be at least 8 printable ASCII characters.');
  }
  const salt = randomBytes(16);
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
