import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.js';
import type { Measure } from './measure.js';
import { audit } from './measures/audit.js';
import { connector } from './measures/connector.js';
import { encryption } from './measures/encryption.js';
import { growth } from './measures/growth.js';
import { images } from './measures/images.js';
import { losses } from './measures/losses.js';
import { million } from './measures/million.js';
import { operations } from './measures/operations.js';
import { people } from './measures/people.js';
import { takenUp } from './measures/taken-up.js';
import { usb } from './measures/usb.js';
import { webhook } from './measures/webhook.js';
import { sayNotTaken, sayNumber, sayRow, toJson, toMarkdown, type NotTaken, type Report } from './report.js';
import { verdictOn, type Row } from './row.js';
import { Stage } from './stage/stage.js';

const USAGE = `npm run bench -- [--json FILE] [--smoke] [--only NAME] [--minutes N]

Measures this machine's own ceilings and Quartermaster in the same run. Takes up to forty minutes.

  --json FILE   writes all figures there as well
  --smoke       three minutes: smaller sizes, fewer repetitions; tells whether everything can be measured
  --only NAME   one measure, or several with commas between
  --minutes N   over by then, 1 to 60: it shortens the measure "million", which takes what is left
`;

/** In this order; the last one runs until the time is over. */
const MEASURES: readonly Measure[] = [
  webhook,
  losses,
  operations,
  audit,
  connector,
  takenUp,
  people,
  encryption,
  growth,
  images,
  usb,
  million,
];

/** The whole bench is over by then; the last measure takes what is left. A smoke run ends by itself long before. */
const FULL_MINUTES = 38;
const SMOKE_MINUTES = 10;
const MOST_MINUTES = 60;

const say = (line: string): void => console.log(line);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      only: { type: 'string' },
      minutes: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(USAGE);
  const wanted = values.only?.split(',') ?? MEASURES.map(({ name }) => name);
  const unknown = wanted.filter((name) => !MEASURES.some((measure) => measure.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no measure ${unknown.join(', ')}. There are: ${MEASURES.map(({ name }) => name).join(', ')}.`,
    );
    process.exitCode = 2;
    return;
  }
  const minutes = Number(values.minutes ?? (values.smoke ? SMOKE_MINUTES : FULL_MINUTES));
  if (!(minutes >= 1 && minutes <= MOST_MINUTES)) {
    console.error(`--minutes takes a number from 1 to ${MOST_MINUTES}.`);
    process.exitCode = 2;
    return;
  }
  const report = await bench(
    MEASURES.filter(({ name }) => wanted.includes(name)),
    { smoke: values.smoke, minutes },
  );
  if (values.json !== undefined) await writeFile(values.json, toJson(report));
  process.exitCode = conclude(report);
}

async function bench(
  measures: readonly Measure[],
  { smoke, minutes }: { smoke: boolean; minutes: number },
): Promise<Report> {
  const startedAt = new Date().toISOString();
  const started = performance.now();
  const endsAt = started + minutes * 60_000;
  const stage = await Stage.start();
  const stopAtOnce = (): void => void stage.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopAtOnce);
  const rows: Row[] = [];
  const notTaken: NotTaken[] = [];
  try {
    const machine = await describeMachine(stage);
    say(
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; Node ${machine.node}, PostgreSQL ${machine.postgres}`,
    );
    for (const [name, { median, low, high }] of Object.entries(machine.ceilings)) {
      say(`  ceiling: ${sayNumber(median)} ${name} (${sayNumber(low)} to ${sayNumber(high)})`);
    }
    for (const { name, run } of measures) {
      const since = performance.now();
      try {
        const taken = await run({ stage, smoke, endsAt, say });
        rows.push(...taken);
        for (const row of taken) for (const line of sayRow(row)) say(line);
      } catch (error) {
        const missing = { name, why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
        notTaken.push(missing);
        say(sayNotTaken(missing));
      }
      say(`        (${name}: ${Math.round((performance.now() - since) / 1000)} s)`);
    }
    const seconds = Math.round((performance.now() - started) / 1000);
    return { kind: smoke ? 'smoke' : 'full', startedAt, seconds, machine, rows, notTaken };
  } finally {
    await stage.stop();
  }
}

/** A smoke run tells whether everything can be measured; only a full one judges. */
function conclude({ kind, rows, notTaken, seconds }: Report): number {
  for (const line of toMarkdown(rows)) say(line);
  const count = (verdict: string) => rows.filter((row) => verdictOn(row) === verdict).length;
  const figures = `${rows.length} figures in ${seconds} s: ${count('met')} met, ${count('missed')} missed, ${count('short')} short`;
  say(`${figures}; ${notTaken.length} measures not taken.`);
  if (kind === 'smoke') say('A smoke run is too short to judge by: it shows that everything can be measured.');
  return notTaken.length > 0 || (kind === 'full' && count('met') < rows.length) ? 1 : 0;
}

await main();
process.exit();
