import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { NotProved, Report } from './report.js';
import { Terminal } from './terminal.js';

const quiet = () => Object.assign(new Terminal(), { line: vi.fn<(text: string) => void>() });

it('ends the story at the first claim that does not hold, and writes it down', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quartermaster-report-'));
  try {
    const report = new Report(quiet());
    report.prove('the sun rises', true);
    expect(report.isProved).toBe(true);
    expect(() => report.prove('the moon is cheese', false, { made: 'rock' })).toThrow(NotProved);
    await report.write(join(folder, 'demo.json'));
    const written: unknown = JSON.parse(await readFile(join(folder, 'demo.json'), 'utf8'));
    expect(written).toMatchObject({
      proved: false,
      proofs: [{ holds: true }, { claim: 'the moon is cheese', holds: false, seen: { made: 'rock' } }],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('counts a story in which nothing was claimed as not proved', () => {
  expect(new Report(quiet()).isProved).toBe(false);
});
