import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cloneFolder } from '../../scripts/embedded/places.js';

/** Bytes of JavaScript, compressed, until a page can be used. */
const FIRST_LOAD = 200_000;

const folder = join(cloneFolder(), 'dist', 'ui');
const Manifest = z.record(
  z.string(),
  z.object({ file: z.string(), isEntry: z.boolean().optional(), imports: z.array(z.string()).optional() }),
);

describe('what a browser loads', () => {
  let files: z.infer<typeof Manifest>;
  beforeAll(() => {
    if (!existsSync(folder)) throw new Error('Run `npm run build` first.');
    files = Manifest.parse(JSON.parse(readFileSync(join(folder, '.vite', 'manifest.json'), 'utf8')));
  });

  /** A file and everything that it imports before it runs. */
  function withImports(name: string, known = new Set<string>()): Set<string> {
    if (known.has(name)) return known;
    known.add(name);
    for (const imported of files[name]?.imports ?? []) withImports(imported, known);
    return known;
  }

  const compressed = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, files[name]?.file ?? ''))).length, 0);

  it('is at most 200 kB of compressed JavaScript for the first page, whichever it is', () => {
    const [entry] = Object.keys(files).filter((name) => files[name]?.isEntry);
    const pages = Object.keys(files).filter((name) => /^src\/pages\/.*-page\.tsx$/.test(name));
    expect(pages.length).toBeGreaterThan(8);
    const sizes = pages.map((page) => [page, compressed(withImports(page, withImports(entry ?? '')))] as const);
    expect(sizes.filter(([, size]) => size > FIRST_LOAD)).toEqual([]);
    // A page is code of its own, fetched when it is opened.
    expect(new Set(sizes.map(([, size]) => size)).size).toBeGreaterThan(1);
  });

  it('comes from files alone: nothing inline, which the security policy would refuse', () => {
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
    expect(page).not.toMatch(/https?:/);
  });
});
