/** What makes a spreadsheet take a cell for a formula (OWASP, “CSV Injection”). */
const FORMULA = /^[=+\-@\t\r]/;
/** What can't stand in a cell without quotes (RFC 4180, section 2). */
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One line of a CSV file, without its end. Whatever text there is comes out as text: a spreadsheet that reads it runs no
 * formula. An apostrophe before it says so, as in a spreadsheet itself.
 *
 * @param cells null: empty
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return cells.map((cell) => (typeof cell === 'number' ? String(cell) : textCell(cell ?? ''))).join(',');
}

function textCell(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
