import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StopList } from '../demo/stop-list.js';
import { cloneFolder } from '../embedded/places.js';
import { untilAskedToStop } from '../stop-signals.js';
import { inSeconds, runDrill, type DrillReport } from './run-drill.js';
import { startStage } from './start-stage.js';

const USAGE = `npm run drill [-- --tools 5] [--runbook docs/runbooks/laptop-lost.yaml] [--json FILE]

A laptop is lost on an installation of its own, with simulated tools and a simulated device manager: the real service and its
real emergency lane do everything that the runbook says, and the time to contain is measured at the tools.

  --tools N      how many simulated tools; 1 to 100
  --runbook FILE the runbook that is drilled, e.g. a draft
  --json FILE    write the report
`;

const MOST_TOOLS = 100;

function linesOf({ tasks, ...report }: DrillReport): string[] {
  return [
    '',
    `time to contain          ${inSeconds(report.containedMs)}   every session dead, as tried at ${report.tools} tools`,
    `last cut sent            ${inSeconds(report.lastSentMs)}`,
    `last cut read back       ${inSeconds(report.confirmedMs)}`,
    `report answered in       ${inSeconds(report.reportedMs)}`,
    '',
    ...tasks.map(({ task, owner, withinSeconds, endedMs }) => {
      const end =
        endedMs === null ? 'still due' : `${inSeconds(endedMs)}${endedMs > withinSeconds * 1_000 ? ', late' : ''}`;
      return `${endedMs === null ? '○' : '●'} ${task.padEnd(12)} ${owner.padEnd(34)} within ${withinSeconds} s: ${end}`;
    }),
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      tools: { type: 'string', default: '5' },
      runbook: { type: 'string', default: join(cloneFolder(), 'docs', 'runbooks', 'laptop-lost.yaml') },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const tools = Number(values.tools);
  if (values.help || !Number.isInteger(tools) || tools < 1 || tools > MOST_TOOLS) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const stops = new StopList();
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  try {
    const runbook = resolve(values.runbook);
    console.log('starting PostgreSQL, the service and the simulated tools …');
    const stage = await startStage({ tools, runbook }, stops, stopping.signal);
    const report = await runDrill(stage, values.runbook, (line) => console.log(`● ${line}`));
    for (const line of linesOf(report)) console.log(line);
    if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await stops.stopAll();
  }
}

process.exit(await main());
