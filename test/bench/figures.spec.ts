import { describe, expect, it } from 'vitest';
import { toMarkdown } from './report.js';
import { verdictOn, type Row } from './row.js';
import { growthExponent, percentile, spreadOf } from './statistics.js';

function aRow(of: Partial<Row> = {}): Row {
  const spread = { median: 9, low: 8, high: 12, count: 4 };
  return {
    name: 'a call',
    figure: 10,
    unit: 'ms',
    bound: { most: 50 },
    aim: null,
    spread,
    samples: 40,
    notes: [],
    ...of,
  };
}

describe('a figure of the bench', () => {
  it('is met within its bound, missed beyond it, and short when it is of less than was promised', () => {
    expect(verdictOn(aRow())).toBe('met');
    expect(verdictOn(aRow({ figure: 50 }))).toBe('met');
    expect(verdictOn(aRow({ figure: 50.1 }))).toBe('missed');
    expect(verdictOn(aRow({ bound: { least: 11 } }))).toBe('missed');
    expect(verdictOn(aRow({ short: 'of 8 only' }))).toBe('short');
    expect(verdictOn(aRow({ figure: 60, short: 'of 8 only' }))).toBe('missed');
  });

  it('is one line of a table', () => {
    expect(toMarkdown([aRow({ aim: { most: 5 } })]).at(-1)).toBe(
      '| a call | 10.0 ms | at most 50 ms | at most 5 ms | 9.00 (8.00 to 12.0 in 4) | 40 | met |',
    );
  });
});

describe('a percentile', () => {
  it('is a value that was seen, by its rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect(percentile(values, 0.5)).toBe(3);
    expect(percentile(values, 0.95)).toBe(5);
    expect(percentile(values, 0)).toBe(1);
    expect(spreadOf(values)).toEqual({ median: 3, low: 1, high: 5, count: 5 });
  });

  it('of nothing is refused', () => {
    expect(() => percentile([], 0.5)).toThrow('no values');
  });
});

describe('a growth exponent', () => {
  it('is 0 for what stays, 1 for what grows with the size, 0.5 for its root', () => {
    const of = (latency: (size: number) => number) =>
      growthExponent([1_000, 10_000, 1_000_000].map((size) => ({ size, latency: latency(size) })));
    expect(of(() => 7)).toBeCloseTo(0);
    expect(of((size) => size / 3)).toBeCloseTo(1);
    expect(of(Math.sqrt)).toBeCloseTo(0.5);
  });
});
