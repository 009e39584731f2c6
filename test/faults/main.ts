import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { untilAskedToStop } from '../../scripts/stop-signals.js';
import { CATALOGUE } from './catalogue.js';
import { faultLine, isGood, seedLines, summaryLines, summaryOf } from './report.js';
import { planOf, runSeed, type PlannedFault, type SeedReport } from './run-seed.js';
import { ROWS } from './schedule.js';
import { Installation } from './stage/installation.js';

const DEFAULT_CROWD = 10_000;
const USAGE = `npm run faults [-- options]

Runs the whole service on a PostgreSQL, a Redis and tools of its own, does to it what production does, and checks
afterwards, at the tools as well as in the database, that nothing was lost, doubled or pretended.

  --seeds N      the schedules 1 to N; 20 of them meet every fault (default 20)
  --seed K       schedule K alone; with --seeds N the schedules K to K+N-1
  --only TEXT    instead of schedules: each fault whose row or name holds TEXT, one after the other
  --crowd N      how many contracts end at one instant in "a crowd leaves" (default ${DEFAULT_CROWD})
  --json FILE    all that was done, seen and measured
  --list         the faults and the schedules; runs nothing
`;

const say = (line: string): void => console.log(line);

interface Options {
  seeds: number[];
  crowd: number;
  json: string | undefined;
  only: string | undefined;
  list: boolean;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      crowd: { type: 'string', default: String(DEFAULT_CROWD) },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const first = Number(values.seed ?? 1);
  const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1));
  const crowd = Number(values.crowd);
  const isRight = [first, count, crowd].every((number) => Number.isInteger(number) && number > 0);
  if (values.help || !isRight) return null;
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  return { seeds, crowd, json: values.json, only: values.only, list: values.list };
}

/** Every fault of that name, as a schedule of its own. */
function chosen(text: string): PlannedFault[] {
  return ROWS.flatMap((row) => CATALOGUE[row].map((fault) => ({ row, fault }))).filter(
    ({ row, fault }) => row.includes(text) || fault.name.includes(text),
  );
}

function list(seeds: readonly number[]): void {
  for (const row of ROWS) say(`${row}\n${CATALOGUE[row].map(({ name }) => `    ${name}`).join('\n')}`);
  for (const seed of seeds)
    say(
      `seed ${seed}: ${planOf(seed)
        .map(({ fault }) => fault.name)
        .join('; ')}`,
    );
}

function replayCommand({ only, crowd }: Options, seed: number): string {
  const what = only === undefined ? '' : ` --only '${only}'`;
  const size = crowd === DEFAULT_CROWD ? '' : ` --crowd ${crowd}`;
  return `npm run faults -- --seed ${seed}${what}${size}`;
}

async function main(options: Options): Promise<boolean> {
  const { seeds, crowd, json, only } = options;
  const began = performance.now();
  say('starting PostgreSQL and setting up an installation …');
  const installation = await Installation.start();
  const reports: SeedReport[] = [];
  const stopped = untilAskedToStop().then(() => 'stopped' as const);
  try {
    const plans =
      only === undefined ? seeds.map((seed) => ({ seed })) : [{ seed: seeds[0] ?? 1, faults: chosen(only) }];
    for (const plan of plans) {
      say(`\nseed ${plan.seed}`);
      const run = runSeed(installation, { ...plan, crowd, onFault: (report) => say(faultLine(report)) });
      const report = await Promise.race([run, stopped]);
      if (report === 'stopped') {
        // Its service is ended with the installation, and whatever it waits for then fails.
        run.catch(() => undefined);
        say('stopped; what was seen so far is told below');
        break;
      }
      seedLines(report).forEach(say);
      if (!isGood(report)) say(`  again: ${replayCommand(options, report.seed)}`);
      reports.push(report);
    }
  } finally {
    await installation.stop();
  }
  const isFull = only === undefined && seeds.length >= 20 && reports.length === seeds.length;
  const summary = summaryOf(reports, (performance.now() - began) / 1000, {
    mustMeetAll: isFull,
    replayOf: ({ seed }) => replayCommand(options, seed),
  });
  summaryLines(summary).forEach(say);
  const told = reports.map((report) => ({ ...report, verdict: isGood(report) ? 'good' : 'broken' }));
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...summary, seeds: told }, null, 2)}\n`);
  const wasCut = only === undefined && reports.length < seeds.length;
  return summary.broken === 0 && summary.unmet.length === 0 && !wasCut && reports.length > 0;
}

const options = readOptions();
if (!options) {
  console.error(USAGE);
  process.exit(2);
}
if (options.list) {
  list(options.seeds);
  process.exit(0);
}
process.exit((await main(options)) ? 0 : 1);
