/** SPDX ids of licences that ask for no more than to be named. */
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'Python-2.0',
  'BlueOak-1.0.0',
  'CC0-1.0',
]);

/** Of tools that aren't shipped, also those whose own files have to stay open. */
const ALLOWED_IN_DEVELOPMENT = new Set(['MPL-2.0', 'CC-BY-4.0']);

/**
 * @param expression of SPDX, as in `(MIT OR GPL-3.0-only)`, without `WITH`
 * @param isDevelopmentOnly it isn't shipped
 */
export function licenceIsAllowed(expression: string, isDevelopmentOnly: boolean): boolean {
  const isAllowed = (id: string): boolean => ALLOWED.has(id) || (isDevelopmentOnly && ALLOWED_IN_DEVELOPMENT.has(id));
  const plain = expression.trim().replace(/^\((.*)\)$/, '$1');
  // Brackets within would need a parser; an expression with them is refused, and somebody looks.
  if (/[()]/.test(plain)) return false;
  return plain.split(/ +OR +/i).some((choice) => choice.split(/ +AND +/i).every((id) => isAllowed(id.trim())));
}
