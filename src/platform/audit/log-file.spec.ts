import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { leafText } from './leaf.js';
import { entryLine, headerLine, LogFileError, readLogFile, type LogLine } from './log-file.js';
import { leafHash } from './merkle-tree.js';

async function read(...lines: string[]): Promise<LogLine[]> {
  const file = join(await mkdtemp(join(inject('runFolder'), 'log-file-')), 'log.jsonl');
  await writeFile(file, lines.join('\n'));
  const all: LogLine[] = [];
  for await (const some of readLogFile(file)) all.push(...some);
  return all;
}

const header = headerLine('acme.example/audit+00000000+AA==');
const leaf = leafText({ b: 'ü 🦊', a: 1 });
const hash = leafHash(leaf);
const line = entryLine({ index: 7, hash, leaf });

describe('an exported log', () => {
  it('is read as it was written, with and without a last line’s end', async () => {
    const expected = [expect.objectContaining({ key: expect.any(String) }), { entry: { index: 7, hash, found: hash } }];
    expect(await read(header, line)).toEqual(expected);
    expect(await read(header, line, '')).toEqual(expected);
  });

  it('of an older version, whose entries stand in another order of fields, is read just the same', async () => {
    const older = JSON.stringify({ index: 7, hash: hash.toString('base64'), entry: { b: 'ü 🦊', a: 1 } });
    expect(older).not.toBe(line);
    expect((await read(header, older))[1]).toEqual({ entry: { index: 7, hash, found: hash } });
    expect((await read(header, `${line}\r`))[1]).toEqual({ entry: { index: 7, hash, found: hash } });
  });

  it('whose entry was changed shows what it says now', async () => {
    const [, changed] = await read(header, line.replace('"a":1', '"a":2'));
    expect(changed).toEqual({ entry: { index: 7, hash, found: leafHash(leafText({ b: 'ü 🦊', a: 2 })) } });
  });

  it('may have lines longer than what is read at a time', async () => {
    const long = leafText({ text: 'x'.repeat(3 << 20) });
    const lines = [7, 8].map((index) => entryLine({ index, hash: leafHash(long), leaf: long }));
    expect((await read(header, ...lines)).slice(1)).toMatchObject([{ entry: { index: 7 } }, { entry: { index: 8 } }]);
  });

  it.each([
    ['no header', [line]],
    ['a second header', [header, header]],
    ['a cut line', [header, line.slice(0, -5)]],
    ['a negative place', [header, line.replace('"index":7', '"index":-7')]],
    ['text after the entry', [header, `${line}x`]],
    ['something else', [header, '{"entry":1}']],
    ['nothing', ['']],
  ])('with %s is refused', async (_what, lines) => {
    await expect(read(...lines)).rejects.toThrow(LogFileError);
  });
});
