import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { LogPart } from './check-log.js';
import { ENTRIES_DROPPED, leafText } from './leaf.js';
import { leafHash, leafHashInPlace } from './merkle-tree.js';

/** One line of JSON: the first says what the file is, then comes the log. */
export type LogLine = { format: typeof FORMAT; key: string } | LogPart;

const FORMAT = 'quartermaster-audit-1';

/** A file that isn't an exported log, or a line of it that can't be read. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError';
}

export function headerLine(key: string): string {
  return JSON.stringify({ format: FORMAT, key });
}

/** Where the log starts, when entries were dropped: so many of them, and what the tree has to know of these. */
export function startLine({ size, frontier }: { size: number; frontier: Buffer }): string {
  return JSON.stringify({ dropped: size, frontier: frontier.toString('base64') });
}

/** @param leaf the entry's canonical text: it stands in the line as it was hashed, so that it need not be parsed to be checked */
export function entryLine({ index, hash, leaf }: { index: number; hash: Buffer; leaf: string }): string {
  return `{"index":${index},"hash":"${hash.toString('base64')}","entry":${leaf}}`;
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
const DROPPED = z.object({ action: z.literal(ENTRIES_DROPPED), facts: z.object({ keptFrom: z.int().nonnegative() }) });
const LINE = z.union([
  ENTRY.transform(({ index, hash, entry }) => {
    const dropped = DROPPED.safeParse(entry).data;
    const found = leafHash(leafText(entry));
    return { entry: { index, hash, found, ...(dropped && { keptFrom: dropped.facts.keptFrom }) } };
  }),
  CHECKPOINT,
  z
    .strictObject({ dropped: z.int().positive(), frontier: z.base64() })
    .transform(({ dropped, frontier }) => ({ start: { size: dropped, frontier: Buffer.from(frontier, 'base64') } })),
  HEADER,
]);

const PART = 1 << 20;
const LINE_END = 10;
/** Longer than any line of ours: a file of another kind must not fill the memory. */
const LONGEST_LINE = 64 * PART;

/**
 * Reads an exported log: the lines that came together, in their order. Memory doesn't grow with the file.
 * @throws LogFileError
 */
export async function* readLogFile(path: string): AsyncGenerator<LogLine[]> {
  let number = 0;
  const read = (bytes: Buffer): LogLine => {
    number += 1;
    const line = (number > 1 && entryFrom(bytes)) || parse(bytes.toString('utf8'));
    if (!line || (number === 1) !== 'format' in line) {
      throw new LogFileError(
        `Line ${number} of ${path} isn’t one of an exported audit log: it is damaged, or another kind of file.`,
      );
    }
    return line;
  };
  const file = await open(path);
  try {
    // One piece of memory for all of it: what is yielded holds copies.
    let memory: Buffer = Buffer.alloc(PART);
    let filled = 0;
    for (;;) {
      if (filled === memory.length) memory = larger(memory, path);
      const { bytesRead } = await file.read(memory, filled, memory.length - filled);
      if (bytesRead === 0) break;
      const bytes = memory.subarray(0, filled + bytesRead);
      const lines: LogLine[] = [];
      let start = 0;
      for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
        lines.push(read(bytes.subarray(start, end)));
        start = end + 1;
      }
      filled = bytes.copy(memory, 0, start);
      yield lines;
    }
    if (filled > 0) yield [read(memory.subarray(0, filled))];
  } finally {
    await file.close();
  }
  if (number === 0) throw new LogFileError(`${path} is empty.`);
}

/** @throws LogFileError for a line that is longer than any of ours */
function larger(memory: Buffer, path: string): Buffer {
  if (memory.length > LONGEST_LINE) throw new LogFileError(`${path} is no exported audit log: it has no lines.`);
  return Buffer.concat([memory, Buffer.alloc(memory.length)]);
}

const INDEX = Buffer.from('{"index":');
const HASH = Buffer.from(',"hash":"');
const CONTENT = Buffer.from('","entry":');
const HASH_LENGTH = 44;
const LAST = '}'.charCodeAt(0);
/** It tells something about the whole log. */
const TOLD = Buffer.from(`"action":"${ENTRIES_DROPPED}"`);

/** An entry whose text is, byte for byte, what was sealed: then it need not be parsed. Everything else is looked at closely. */
function entryFrom(line: Buffer): LogLine | null {
  const comma = line.indexOf(HASH, INDEX.length);
  const hashAt = comma + HASH.length;
  const contentAt = hashAt + HASH_LENGTH + CONTENT.length;
  if (comma < 0 || comma > 30 || !startsAt(line, INDEX, 0)) return null;
  if (!startsAt(line, CONTENT, hashAt + HASH_LENGTH) || line.at(-1) !== LAST) return null;
  const index = line.toString('latin1', INDEX.length, comma);
  if (!/^(0|[1-9]\d{0,14})$/.test(index)) return null;
  const hash = Buffer.from(line.toString('latin1', hashAt, hashAt + HASH_LENGTH), 'base64');
  if (line.includes(TOLD)) return null;
  const before = line[contentAt - 1] ?? 0;
  const found = leafHashInPlace(line, contentAt, line.length - 1);
  line[contentAt - 1] = before;
  return found.equals(hash) ? { entry: { index: Number(index), hash, found } } : null;
}

function startsAt(line: Buffer, what: Buffer, at: number): boolean {
  return line.subarray(at, at + what.length).equals(what);
}

function parse(text: string): LogLine | undefined {
  try {
    return LINE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
