import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { operationsOf } from '../fuzz/api-operations.js';

// TypeORM puts what `orderBy` and `select` are given into the statement as it is.
it('each list has one order, which is written in the code and which no caller can change', () => {
  const sources = globSync('src/**/*.ts', { cwd: cloneFolder(), exclude: ['src/**/*.spec.ts'] });
  const calls = sources.flatMap((file) => {
    const text = readFileSync(join(cloneFolder(), file), 'utf8');
    return [...text.matchAll(/(?<!\bMap)\.(?:addOrderBy|orderBy|addSelect|groupBy)\(/g)].map(({ index, 0: call }) => {
      return { file, by: text.slice(index + call.length, index + call.length + 400) };
    });
  });
  expect(calls.length).toBeGreaterThan(8);
  expect(calls.filter(({ by }) => !isWritten(by))).toEqual([]);
});

/** Texts and the code's own constants, and nothing else. */
function isWritten(by: string): boolean {
  if (/^\s*[A-Z][A-Z_]*,\s*'\w+',?\s*\)/.test(by)) return true;
  const [, , expression = ''] = /^\s*(['`])((?:(?!\1)[^\\])*)\1(?:,\s*'\w+')?,?\s*\)/.exec(by) ?? [];
  const put = [...expression.matchAll(/\$\{([^}]*)\}/g)];
  return expression !== '' && put.every(([, name = '']) => /^[A-Z][A-Z_]*$/.test(name));
}

it('no operation takes the name of a column', () => {
  const document = JSON.parse(readFileSync(join(cloneFolder(), 'docs', 'openapi.json'), 'utf8')) as { paths: object };
  const names = operationsOf(document).flatMap(({ parameters }) => parameters.map(({ name }) => name.toLowerCase()));
  expect(names.filter((name) => /^(sort|order|orderby|sortby|direction|fields|select|columns)$/.test(name))).toEqual(
    [],
  );
});
