import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { describeRunbook } from './describe-runbook.js';
import { parseRunbook } from './parse-runbook.js';
import { secondsOf, type Runbook } from './runbook-schema.js';

const FILE = readFileSync(new URL('../../../docs/runbooks/laptop-lost.yaml', import.meta.url), 'utf8');

function runbook(): Runbook {
  const { document } = parseRunbook(FILE);
  if (document === null) throw new Error('the runbook in the repository has mistakes');
  return document;
}

/** The mistakes of the repository's runbook after a change, without their places. */
function mistakesAfter(change: (document: Runbook) => void): string[] {
  const document = runbook();
  change(document);
  return parseRunbook(stringify(document)).mistakes.map(({ message }) => message);
}

describe('the runbook in the repository', () => {
  it('has no mistake, and each task its owner, time and words', () => {
    expect(parseRunbook(FILE).mistakes).toEqual([]);
    expect(runbook().tasks.length).toBeGreaterThan(5);
  });

  it('becomes a page with every task, the decision table and each word of the file', () => {
    const page = describeRunbook(runbook());
    for (const { title, how } of runbook().tasks) {
      expect(page).toContain(`. ${title} (`);
      expect(page).toContain(how.trim());
    }
    for (const { because } of runbook().containment.rows) expect(page).toContain(because);
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) =>
      heading
        ?.toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
    for (const link of links) expect(headings).toContain(link);
  });
});

describe('a mistake is told in a plain sentence', () => {
  it('with its line and column', () => {
    const at = FILE.split('\n').findIndex((line) => line.includes('within: 15 min')) + 1;
    expect(parseRunbook(FILE.replace('within: 15 min', 'within: soon')).mistakes).toEqual([
      { line: at, column: 13, message: '“tasks 3. within” must be a time such as 5 s, 15 min, 72 h or 30 d.' },
    ]);
  });

  it('for a time that is longer than anybody means', () => {
    const within = (time: string) => mistakesAfter(({ tasks }) => Object.assign(tasks[2] ?? {}, { within: time }));
    expect(within('3650 d')).toEqual([]);
    expect(within('3651 d')).toEqual(['“tasks 3. within” must be ten years (3650 d) at most.']);
  });

  it('for two tasks of one name, and two that end by the same', () => {
    const twice = mistakesAfter(({ tasks }) => {
      const [first, second] = tasks;
      if (first && second) Object.assign(second, { id: first.id, ends: first.ends });
    });
    expect(twice).toEqual([
      'No task ends by “cut-access”: every loss has to come to it.',
      expect.stringMatching(/^There is a task “freeze” already, in line \d+\.$/),
      expect.stringMatching(/^The task in line \d+ ends by “freeze-facts” already\.$/),
    ]);
  });

  it('for a row of the table without a condition', () => {
    const [said] = mistakesAfter(({ containment: { rows } }) => Object.assign(rows[0] ?? {}, { when: {} }));
    expect(said).toBe('“containment rows 1. when” must have a condition; what else there is stands under otherwise.');
  });

  it('for a word that the table doesn’t know', () => {
    const [said] = mistakesAfter(({ containment: { rows } }) =>
      Object.assign(rows[1]?.when ?? {}, { disk: ['maybe'] }),
    );
    expect(said).toContain('must be one of encrypted, not_encrypted');
  });
});

it('reads times', () => {
  expect(['5 s', '15 min', '72h', '30 d'].map(secondsOf)).toEqual([5, 900, 259_200, 2_592_000]);
});
