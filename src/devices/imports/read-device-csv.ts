import { CsvError, parse } from 'csv-parse/sync';
import { Problem } from '../../platform/errors/problem.js';

/** What a file may say of a device, and whether each line has to. */
export const COLUMNS = {
  asset_tag: true,
  serial: true,
  model: true,
  site: false,
  state: false,
  purchased_on: false,
  warranty_until: false,
} as const satisfies Record<string, boolean>;

export type ColumnName = keyof typeof COLUMNS;

export interface CsvLine {
  /** In the file, counted from 1; of cells with line breaks the last. */
  line: number;
  /** By column, without blanks around; a column that the file doesn't have isn't there. */
  cells: Partial<Record<ColumnName, string>>;
  /** It has other cells than the header: they can't be told apart. */
  isAskew: boolean;
}

export const MOST_LINES = 2_000;

const SEPARATORS = [',', ';', '\t'] as const;

/**
 * Reads a file as spreadsheets write it: UTF-8 or UTF-16, with or without a byte order mark, with commas, semicolons or
 * tabs, quotes as in RFC 4180.
 *
 * @throws Problem `invalid-request` for what is no such file, or has columns that nobody knows
 */
export function readDeviceCsv(content: Buffer): CsvLine[] {
  const text = decode(content);
  const separator = separatorOf(text);
  const [header, ...rows] = recordsOf(text, separator);
  if (!header) throw invalid('The file is empty. Its first line names the columns.');
  const columns = header.record.map((name) => name.trim().toLowerCase().replaceAll(/[ -]/g, '_'));
  const known = columns.filter(isColumn);
  const strange = columns.filter((name) => !isColumn(name));
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  const missing = names().filter((name) => COLUMNS[name] && !known.includes(name));
  if (strange.length > 0) {
    throw invalid(
      `The column ${strange.map((name) => `“${name}”`).join(', ')} isn’t known. Use ${names().join(', ')}.`,
    );
  }
  if (twice !== undefined) throw invalid(`The column “${twice}” is there twice. Remove one.`);
  if (missing.length > 0) throw invalid(`The column ${missing.join(', ')} is missing in the first line.`);
  if (rows.length === 0) throw invalid('The file has a first line and nothing below it.');
  if (rows.length > MOST_LINES) throw invalid(`A file may have ${MOST_LINES} devices at most. Divide it.`);
  return rows.map(({ info, record }) => ({
    line: info.lines,
    cells: Object.fromEntries(known.map((name, index) => [name, (record[index] ?? '').trim()])),
    isAskew: record.length !== columns.length,
  }));
}

interface Row {
  info: { lines: number };
  record: string[];
}

function recordsOf(text: string, delimiter: string): Row[] {
  try {
    return parse(text, {
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      // A line of separators alone, as a spreadsheet leaves one behind.
      skip_records_with_empty_values: true,
    }) as unknown as Row[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const at = typeof error['lines'] === 'number' ? `Line ${error['lines']}` : 'A line';
    throw invalid(`${at} can’t be read: a quote isn’t closed, or stands inside a cell that isn’t in quotes.`);
  }
}

function decode(content: Buffer): string {
  const encoding = content[0] === 0xff && content[1] === 0xfe ? 'utf-16le' : encodingOf(content);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(content);
  } catch {
    throw invalid('The file is neither UTF-8 nor UTF-16. Save it as “CSV UTF-8”.');
  }
}

function encodingOf(content: Buffer): string {
  return content[0] === 0xfe && content[1] === 0xff ? 'utf-16be' : 'utf-8';
}

/** The one that the first line has most of: a comma may stand in a model's name, but hardly in a column's. */
function separatorOf(text: string): string {
  const [first = ''] = text.trimStart().split(/\r?\n/, 1);
  const count = (separator: string): number => first.split(separator).length;
  return SEPARATORS.toSorted((one, other) => count(other) - count(one))[0] ?? ',';
}

function isColumn(name: string): name is ColumnName {
  return Object.hasOwn(COLUMNS, name);
}

function names(): ColumnName[] {
  return Object.keys(COLUMNS).filter(isColumn);
}

function invalid(detail: string): Problem {
  return new Problem('invalid-request', detail);
}
