/**
 * JSON with its object keys in order and without spaces, so that the same content has the same bytes and one SHA-256.
 * After RFC 8785 (JCS), for what our plans hold: text, whole numbers, booleans, null, lists and objects.
 *
 * @throws Error for a number that isn't whole, whose form would depend on who writes it
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new Error(`a plan holds whole numbers only, not ${value}`);
  }
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([one], [other]) => (one < other ? -1 : 1));
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
