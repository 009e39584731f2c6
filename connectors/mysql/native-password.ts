import { createHash } from 'node:crypto';
import { ToolError } from '../kit/errors.js';

/**
 * What `mysql_native_password` stores of a password: `*` and the SHA-1 of its SHA-1 in upper-case hexadecimal (MariaDB
 * documentation, “PASSWORD”). Made here, so that the password itself never reaches the server or its log. It has no
 * salt and is fast, which is bearable for the long random passwords that Quartermaster makes, and for no others.
 */
export function nativePasswordHash(password: string): string {
  if (!/^[\x20-\x7e]{8,}$/.test(password)) {
    throw new ToolError('invalid', 'A password must be at least 8 printable ASCII characters.');
  }
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}
