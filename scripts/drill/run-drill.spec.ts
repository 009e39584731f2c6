import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StopList } from '../demo/stop-list.js';
import { cloneFolder } from '../embedded/places.js';
import { lastOfCuts, runDrill, signIn, type DrillReport } from './run-drill.js';
import { startStage, type DrillStage } from './start-stage.js';

const RUNBOOK = join(cloneFolder(), 'docs', 'runbooks', 'laptop-lost.yaml');

const stops = new StopList();
const said: string[] = [];
/** Milliseconds by which a try at a tool may come late, where others use the processor. */
const LATE = 1_000;
let stage: DrillStage;
let report: DrillReport;
beforeAll(async () => {
  stage = await startStage({ tools: 3, runbook: RUNBOOK }, stops, new AbortController().signal);
  report = await runDrill(stage, 'laptop-lost.yaml', (line) => said.push(line));
});
afterAll(() => stops.stopAll());

it('publishes the time to contain, as tried at every simulated tool, and no later than the tools showed it', () => {
  expect(report.tools).toBe(3);
  expect(report.containedMs).toBeGreaterThan(0);
  expect(report.lastSentMs).toBeLessThanOrEqual(report.confirmedMs);
  expect(report.containedMs).toBeLessThanOrEqual(report.confirmedMs + LATE);
  expect(said.join('\n')).toContain('contained: no session works at any of 3 tools');
});

it('does all that the runbook asks for: only what time and a new laptop end is still due', () => {
  expect(report.proposal).toBe('wipe');
  expect(report.encryptionShown).toBe('no');
  expect(report.tasks.filter(({ endedMs }) => endedMs === null).map(({ task }) => task)).toEqual(['restore', 'watch']);
  for (const { endedMs, withinSeconds } of report.tasks) expect(endedMs ?? 0).toBeLessThan(withinSeconds * 1_000);
});

it('shows nothing with sessions that never worked, nor with cuts that nobody made or confirmed', async () => {
  const [tool, other] = stage.tools;
  if (!tool || !other) throw new Error('the stage has no tools');
  // Who signs in at one of them isn't signed in at the other.
  await expect(signIn({ ...tool, url: other.url }, 'dana.drill', 'DRILL-1')).rejects.toThrow(
    "doesn't work before the loss",
  );
  const at = '2026-11-23T20:00:00.000Z';
  const cut = { act: 'suspend_account', toolName: 'simulated-1', sentAt: at, confirmedAt: null };
  expect(lastOfCuts([cut], 'sentAt', 1)).toBe(Date.parse(at));
  expect(() => lastOfCuts([cut], 'confirmedAt', 1)).toThrow('The cut at simulated-1 has no confirmedAt');
  expect(() => lastOfCuts([cut], 'sentAt', 2)).toThrow('1 cuts at 2 tools');
});
