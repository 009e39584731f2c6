/** How Active Directory writes things that plain LDAP has no way for. */

/** A GUID's bytes as people write them: the first three groups are little-endian (MS-DTYP, section 2.3.4.2). */
export function formatGuid(bytes: Buffer): string {
  const ordered = Buffer.concat([
    reversed(bytes, 0, 4),
    reversed(bytes, 4, 6),
    reversed(bytes, 6, 8),
    bytes.subarray(8),
  ]);
  return ordered.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Null for what isn't a GUID. */
export function parseGuid(text: string): Buffer | null {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return null;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  return Buffer.concat([reversed(bytes, 0, 4), reversed(bytes, 4, 6), reversed(bytes, 6, 8), bytes.subarray(8)]);
}

function reversed(bytes: Buffer, from: number, to: number): Buffer {
  return Buffer.from(bytes.subarray(from, to).toReversed());
}

/** `unicodePwd` takes a password in quotation marks, as UTF-16 (MS-ADTS, section 3.1.1.3.1.5). */
export function encodePassword(password: string): Buffer {
  return Buffer.from(`"${password}"`, 'utf16le');
}

/** Tenths of a microsecond since 1601 (MS-DTYP, FILETIME). Null for never. */
export function parseFileTime(text: string | null): Date | null {
  if (text === null || !/^\d{1,19}$/.test(text)) return null;
  const ticks = BigInt(text);
  if (ticks === 0n || ticks === 0x7fff_ffff_ffff_ffffn) return null;
  return new Date(Number(ticks / 10_000n - 11_644_473_600_000n));
}

/** Bits of `userAccountControl` (MS-ADTS, section 2.2.16). */
export const ACCOUNT_DISABLED = 0x2;
export const NORMAL_ACCOUNT = 0x200;
