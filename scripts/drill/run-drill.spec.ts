import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StopList } from '../demo/stop-list.js';
import { cloneFolder } from '../embedded/places.js';
import { runDrill, type DrillReport } from './run-drill.js';
import { startStage } from './start-stage.js';

const RUNBOOK = join(cloneFolder(), 'docs', 'runbooks', 'laptop-lost.yaml');

const stops = new StopList();
const said: string[] = [];
let report: DrillReport;
beforeAll(async () => {
  const stage = await startStage({ tools: 3, runbook: RUNBOOK }, stops, new AbortController().signal);
  report = await runDrill(stage, 'laptop-lost.yaml', (line) => said.push(line));
});
afterAll(() => stops.stopAll());

it('publishes the time to contain, as tried at every simulated tool, and no later than the tools showed it', () => {
  expect(report.tools).toBe(3);
  expect(report.containedMs).toBeGreaterThan(0);
  expect(report.lastSentMs).toBeLessThanOrEqual(report.confirmedMs);
  expect(said.join('\n')).toContain('contained: no session works at any of 3 tools');
});

it('does all that the runbook asks for: only what time and a new laptop end is still due', () => {
  expect(report.proposal).toBe('wipe');
  expect(report.encryptionShown).toBe('no');
  expect(report.tasks.filter(({ endedMs }) => endedMs === null).map(({ task }) => task)).toEqual(['restore', 'watch']);
  for (const { endedMs, withinSeconds } of report.tasks) expect(endedMs ?? 0).toBeLessThan(withinSeconds * 1_000);
});
