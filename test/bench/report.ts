import type { Machine } from './machine.js';
import { isWithin, verdictOn, type Bound, type Row } from './row.js';

export interface NotTaken {
  name: string;
  why: string;
}

export interface Report {
  kind: 'full' | 'smoke';
  startedAt: string;
  seconds: number;
  machine: Machine;
  rows: Row[];
  notTaken: NotTaken[];
}

/** A row as people read it: the figure, what it has to be, and whether it is. */
export function sayRow(row: Row): string[] {
  const { name, figure, unit, bound, aim, spread, samples } = row;
  const verdict = { met: 'met', missed: 'MISSED', short: 'SHORT' }[verdictOn(row)];
  const aimed = aim === null ? '' : `, aim ${sayBound(aim, unit)} ${isWithin(figure, aim) ? 'met' : 'not met'}`;
  const around = `median ${sayNumber(spread.median)}, ${sayNumber(spread.low)} to ${sayNumber(spread.high)} in ${spread.count}`;
  return [
    `${verdict.padEnd(6)}  ${name}: ${sayNumber(figure)} ${unit}, ${sayBound(bound, unit)}${aimed}`,
    `        ${around}; of ${samples} samples`,
    ...[...(row.short === undefined ? [] : [row.short]), ...row.notes].map((note) => `        ${note}`),
  ];
}

export function sayNotTaken({ name, why }: NotTaken): string {
  return `NOT TAKEN  ${name}: ${why}`;
}

export function sayNumber(value: number): string {
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

function sayBound(bound: Bound, unit: string): string {
  return ('most' in bound ? `at most ${bound.most} ${unit}` : `at least ${bound.least} ${unit}`).trim();
}

/** The rows as the table of docs/performance.md. */
export function toMarkdown(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => {
    const { name, figure, unit, bound, aim, spread, samples } = row;
    const around = `${sayNumber(spread.median)} (${sayNumber(spread.low)} to ${sayNumber(spread.high)} in ${spread.count})`;
    const aimed = aim === null ? '' : sayBound(aim, unit);
    return [name, `${sayNumber(figure)} ${unit}`.trim(), sayBound(bound, unit), aimed, around, samples, verdictOn(row)];
  });
  const head = ['measure', 'figure', 'bound', 'aim', 'median and spread', 'samples', 'verdict'];
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`);
}

/** The report as JSON, with each row's verdicts spelt out. */
export function toJson(report: Report): string {
  const rows = report.rows.map((row) => ({
    ...row,
    verdict: verdictOn(row),
    met: verdictOn(row) === 'met',
    aimMet: row.aim === null ? null : row.short === undefined && isWithin(row.figure, row.aim),
  }));
  return `${JSON.stringify({ ...report, rows }, null, 2)}\n`;
}
