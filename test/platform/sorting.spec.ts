import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { operationsOf } from '../fuzz/api-operations.js';

// TypeORM puts what `orderBy` and `select` are given into the statement as it is.
it('each list has one order, which is written in the code and which no caller can change', () => {
  const sources = globSync('src/**/*.ts', { cwd: cloneFolder(), exclude: ['src/**/*.spec.ts'] });
  const orders = sources.flatMap((file) => {
    const text = readFileSync(join(cloneFolder(), file), 'utf8');
    return [...text.matchAll(/\.(?:addOrderBy|orderBy|addSelect|groupBy)\(([^)]*)/g)].map((match) => ({
      file,
      by: match[1] ?? '',
    }));
  });
  expect(orders.length).toBeGreaterThan(8);
  expect(orders.filter(({ by }) => !/^\s*(['`])[\w.]+\1(, '(ASC|DESC)')?$/.test(by))).toEqual([]);
});

it('no operation takes the name of a column', () => {
  const document = JSON.parse(readFileSync(join(cloneFolder(), 'docs', 'openapi.json'), 'utf8')) as { paths: object };
  const names = operationsOf(document).flatMap(({ parameters }) => parameters.map(({ name }) => name.toLowerCase()));
  expect(names.filter((name) => /^(sort|order|orderby|sortby|direction|fields|select|columns)$/.test(name))).toEqual(
    [],
  );
});
