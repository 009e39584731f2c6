import { withoutTokens } from './redaction.js';

export interface ErrorRecord {
  type: string;
  message: string;
  stack?: string;
  /** PostgreSQL's: SQLSTATE, and what it names. */
  code?: string;
  constraint?: string;
  table?: string;
  column?: string;
  cause?: ErrorRecord;
}

/**
 * What of an error is logged. A database error's message, statement and parameters quote the data (secrets among them),
 * so of such an error only its code and the names of what it touched are kept; of JSON that can't be read, nothing.
 */
export function errorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) return { type: typeof error, message: 'something that is no error was thrown' };
  const { code, constraint, table, column, driverError, cause } = error as Error & Record<string, unknown>;
  const fromDatabase = driverError !== undefined || isSqlState(code);
  // JSON.parse quotes what it couldn't read.
  const mayQuote = fromDatabase || error instanceof SyntaxError;
  const record: ErrorRecord = {
    type: error.name,
    message: mayQuote ? '(left out: it may quote data)' : withoutTokens(error.message),
    stack: framesOf(error),
    ...texts({ code, constraint, table, column }),
  };
  const inner = driverError ?? cause;
  if (inner !== undefined && inner !== error && depth < 3) record.cause = errorRecord(inner, depth + 1);
  return record;
}

/** The frames alone: the lines above them repeat the message. */
function framesOf(error: Error): string | undefined {
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return frames?.join('\n');
}

function isSqlState(code: unknown): boolean {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

function texts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
