import type { FaultReport, SeedReport } from './run-seed.js';
import { ROWS } from './schedule.js';

export interface Summary {
  minutes: number;
  faults: number;
  /** Promises that weren't kept, in faults and afterwards. */
  broken: number;
  people: number;
  webhooks: number;
  calls: number;
  restarts: number;
  /** Rows that no fault of this run was about, though the run was long enough to meet them all. */
  unmet: string[];
  /** Faults that this machine can't make. */
  leftOut: string[];
  /** How to run again what wasn't good. */
  replay: string[];
  /** The slowest of each thing that was timed. */
  slowest: { what: string; ms: number; limitMs: number }[];
}

export function faultLine({ fault, seconds, seen, broken, leftOut }: FaultReport): string {
  if (leftOut.length > 0) return `  - ${fault}: left out, it needs ${leftOut.join(' and ')}`;
  const mark = broken.length === 0 ? '✓' : '✗';
  const lines = [`  ${mark} ${fault} (${seconds.toFixed(0)} s): ${seen.join('; ') || 'as it should be'}`];
  return [...lines, ...broken.map((one) => `      BROKEN: ${one}`)].join('\n');
}

export function seedLines(report: SeedReport): string[] {
  const { seconds, people, webhooks, calls, restarts, broken } = report;
  const what = `${people} people, ${webhooks} webhooks, ${calls} calls at the tools, ${restarts} processes restarted`;
  const verdict = broken.length === 0 ? 'every invariant holds' : `${broken.length} INVARIANTS BROKEN`;
  return [`  ${verdict} (${what}; ${seconds.toFixed(0)} s)`, ...broken.map((one) => `      BROKEN: ${one}`)];
}

export function isGood({ broken, faults }: SeedReport): boolean {
  return broken.length === 0 && faults.every((fault) => fault.broken.length === 0);
}

export function summaryOf(
  reports: readonly SeedReport[],
  seconds: number,
  { mustMeetAll, replayOf }: { mustMeetAll: boolean; replayOf: (report: SeedReport) => string },
): Summary {
  const faults = reports.flatMap((report) => report.faults);
  const tried = faults.filter(({ leftOut }) => leftOut.length === 0);
  const met = new Set(tried.map(({ row }) => row));
  const leftOut = faults.filter((fault) => fault.leftOut.length > 0);
  const excused = new Set(leftOut.map(({ row }) => row));
  const sum = (count: (report: SeedReport) => number) => reports.reduce((total, report) => total + count(report), 0);
  const slowest = new Map<string, { what: string; ms: number; limitMs: number }>();
  for (const one of tried.flatMap(({ measured }) => measured)) {
    const what = one.what.replace(/\d+ /g, '');
    if (one.ms >= (slowest.get(what)?.ms ?? 0)) slowest.set(what, { ...one, what });
  }
  return {
    minutes: Math.round(seconds / 6) / 10,
    faults: tried.length,
    broken: sum((report) => report.broken.length) + tried.reduce((total, { broken }) => total + broken.length, 0),
    people: sum(({ people }) => people),
    webhooks: sum(({ webhooks }) => webhooks),
    calls: sum(({ calls }) => calls),
    restarts: sum(({ restarts }) => restarts),
    unmet: mustMeetAll ? ROWS.filter((row) => !met.has(row) && !excused.has(row)) : [],
    leftOut: [...new Set(leftOut.map(({ fault, leftOut: needs }) => `${fault} (needs ${needs.join(' and ')})`))],
    replay: reports.filter((report) => !isGood(report)).map(replayOf),
    slowest: [...slowest.values()],
  };
}

export function summaryLines(summary: Summary): string[] {
  const { minutes, faults, people, webhooks, calls, restarts, broken, unmet, leftOut, replay, slowest } = summary;
  return [
    '',
    `${faults} faults in ${minutes} minutes: ${people} people, ${webhooks} webhooks, ${calls} calls at the tools, ${restarts} processes restarted`,
    ...slowest.map(
      ({ what, ms, limitMs }) => `  slowest: ${what} ${(ms / 1000).toFixed(1)} s (allowed: ${limitMs / 1000} s)`,
    ),
    ...leftOut.map((one) => `  left out: ${one}`),
    ...unmet.map((row) => `  NOT MET: ${row}`),
    ...replay.map((command) => `  again: ${command}`),
    faults === 0 ? 'nothing was finished' : broken === 0 ? 'nothing was broken' : `${broken} PROMISES BROKEN`,
  ];
}
