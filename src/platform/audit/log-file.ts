import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { KeptEntry } from './check-log.js';

/** One line of JSON: the first says what the file is, then entries in their order, each checkpoint after its last entry. */
export type LogLine = { format: typeof FORMAT; key: string } | { entry: KeptEntry } | { checkpoint: string };

const FORMAT = 'quartermaster-audit-1';

/** A file that isn't an exported log, or a line of it that can't be read. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

export function headerLine(key: string): string {
  return JSON.stringify({ format: FORMAT, key });
}

export function entryLine({ index, hash, entry }: KeptEntry): string {
  return JSON.stringify({ index, hash: hash.toString('base64'), entry });
}

export function checkpointLine(note: string): string {
  return JSON.stringify({ checkpoint: note });
}

const HEADER = z.strictObject({ format: z.literal(FORMAT), key: z.string() });
const CHECKPOINT = z.strictObject({ checkpoint: z.string() });
const ENTRY = z.strictObject({
  index: z.int().nonnegative(),
  hash: z.base64().transform((text) => Buffer.from(text, 'base64')),
  entry: z.record(z.string(), z.unknown()),
});
const LINE = z.union([ENTRY.transform((entry) => ({ entry })), CHECKPOINT, HEADER]);

/** Reads an exported log line by line. @throws LogFileError */
export async function* readLogFile(path: string): AsyncGenerator<LogLine> {
  const input = createReadStream(path, 'utf8');
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    const line = parse(text);
    if (!line || (number === 1) !== 'format' in line) {
      throw new LogFileError(
        `Line ${number} of ${path} isn’t one of an exported audit log: it is damaged, or another kind of file.`,
      );
    }
    yield line;
  }
  if (number === 0) throw new LogFileError(`${path} is empty.`);
}

function parse(text: string): LogLine | undefined {
  try {
    return LINE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
