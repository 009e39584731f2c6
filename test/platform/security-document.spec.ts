import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';

/** The requirements of OWASP ASVS 5.0.0 at levels 1 and 2, by section. */
const LEVEL_2 = `
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1-1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2
4.1:1-3 4.2:1-1 4.3:1-2 4.4:1-4 5.1:1-1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3
6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1-1 8.4:1-1 9.1:1-3 9.2:1-4 10.1:1-2
10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1-1 11.6:1-1
12.1:1-3 12.2:1-2 12.3:1-4 13.1:1-1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3
15.3:1-7 16.1:1-1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1-1 17.2:1-4 17.3:1-2`;

const text = readFileSync(join(cloneFolder(), 'docs', 'security.md'), 'utf8');
const rows = [...text.matchAll(/^\| (\d[\d., –]*?) +\| +(\S+) +\|(.*)$/gm)].map(
  ([, ids = '', state = '', rest = '']) => ({
    ids: ids.split(', ').flatMap(expanded),
    state,
    cells: rest.split(/ \| /),
  }),
);

function expanded(range: string): string[] {
  const [from = '', to = from] = range.split('–');
  const section = from.slice(0, from.lastIndexOf('.'));
  const number = (id: string): number => Number(id.slice(id.lastIndexOf('.') + 1));
  return Array.from({ length: number(to) - number(from) + 1 }, (_, index) => `${section}.${number(from) + index}`);
}

it('docs/security.md has each requirement of ASVS 5.0, level 2, once', () => {
  const wanted = LEVEL_2.trim()
    .split(/\s+/)
    .flatMap((entry) => {
      const [section = '', range = ''] = entry.split(':');
      const [from = '1', to = from] = range.split('-');
      return expanded(`${section}.${from}–${section}.${to}`);
    });
  expect(wanted).toHaveLength(253);
  expect(rows.flatMap(({ ids }) => ids).toSorted()).toEqual(wanted.toSorted());
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['met', 'part', 'no', 'op', 'n/a']));
});

it('docs/security.md names files that exist', () => {
  const named = [...text.matchAll(/`((?:src|test|scripts|connectors|docs|docker)\/[\w./-]+)`/g)].map(
    ([, path]) => path ?? '',
  );
  expect(named.length).toBeGreaterThan(100);
  expect([...new Set(named)].filter((path) => !existsSync(join(cloneFolder(), path)))).toEqual([]);
});
