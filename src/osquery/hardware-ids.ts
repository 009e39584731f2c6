/**
 * What makers leave in the place of an id: two machines that both say it are not one machine. Serials of the sort
 * "Default string" and `-1` come from the field (Fleet issues 25993 and 19789).
 */
const NO_SERIAL = /^(-?\d|0+|none|n\/a|unknown|not specified|.*(default|serial|string|to be filled|o\.e\.m).*)$/i;

/** Ids that many boards share. */
const SHARED_UUIDS: ReadonlySet<string> = new Set([
  '03000200-0400-0500-0006-000700080009',
  '00020003-0004-0005-0006-000700080009',
  'fefefefe-fefe-fefe-fefe-fefefefefefe',
  '12345678-1234-5678-90ab-cddeefaabbcc',
]);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A serial number that can tell machines apart, or null. */
export function usableSerial(told: string | undefined): string | null {
  const serial = told?.trim() ?? '';
  return serial === '' || NO_SERIAL.test(serial) ? null : serial;
}

/** A hardware id that can tell machines apart, in lower case, or null. */
export function usableUuid(told: string | undefined): string | null {
  const uuid = told?.trim().toLowerCase() ?? '';
  if (!UUID.test(uuid) || SHARED_UUIDS.has(uuid)) return null;
  // All the same digit: 0000…, ffff….
  return /^(.)\1*$/.test(uuid.replaceAll('-', '')) ? null : uuid;
}
