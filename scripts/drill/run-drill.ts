import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { ExampleTool } from '../../connectors/webhook/example-tool.js';
import { seeOrderThrough, untilLoss } from '../demo/follow-loss.js';
import type { QuartermasterApi } from '../demo/quartermaster-api.js';
import { joined, type DrillStage } from './start-stage.js';

/** What a drill measured. Times are milliseconds after the report was answered or, where said, asked for. */
export interface DrillReport {
  startedAt: string;
  tools: number;
  runbook: string;
  /** From the request to its answer: by then the decision is committed. */
  reportedMs: number;
  /** Until the last call that cuts was sent. */
  lastSentMs: number;
  /** Time to contain: until no session of the lost laptop worked anywhere, as tried at the tools themselves. */
  containedMs: number;
  /** Until the last tool was read back and had shown it. */
  confirmedMs: number;
  proposal: string;
  /** Until the wipe that two people ordered was verified: given by the service, and read back at a simulated device manager. */
  wipedMs: number;
  /** The runbook's tasks: what time each was given, and when it ended; null: it is still due. */
  tasks: { task: string; owner: string; withinSeconds: number; endedMs: number | null }[];
  encryptionShown: string;
}

const LIMIT_MS = 60_000;
const Id = z.object({ id: z.uuid() });
const Instant = z.iso.datetime();
const Loss = z.object({
  awareAt: Instant,
  tasks: z.array(
    z.object({
      task: z.string(),
      owner: z.string(),
      dueAt: Instant,
      doneAt: Instant.nullable(),
      ends: z.string().nullable(),
    }),
  ),
  proposal: z.object({ propose: z.string(), because: z.string() }).nullable(),
  worksheet: z.object({ encryption: z.object({ shown: z.string() }) }),
});
const Contained = z.object({ approval: Id.nullable() });
const Case = z.object({
  state: z.string(),
  steps: z.array(
    z.object({
      act: z.string(),
      state: z.string(),
      toolName: z.string(),
      sentAt: Instant.nullable(),
      confirmedAt: Instant.nullable(),
    }),
  ),
});

type Steps = Pick<z.infer<typeof Case>['steps'][number], 'act' | 'toolName' | 'sentAt' | 'confirmedAt'>[];

/** Plays a loss through to its end: a laptop that was seen with no encryption is lost, and everything the runbook asks for is done. */
export async function runDrill(stage: DrillStage, runbook: string, say: (line: string) => void): Promise<DrillReport> {
  const { api, tools } = stage;
  const startedAt = new Date().toISOString();
  const { username, assetTag } = await prepare(stage, say);
  const tokens = await Promise.all(tools.map((tool) => signIn(tool, username, assetTag)));

  const askedAt = performance.now();
  const report = { assetTag, note: 'A drill.' };
  const { caseId } = await api.post('/v1/lost-devices', report, z.object({ caseId: z.uuid() }));
  const reportedAt = performance.now();
  const since = () => performance.now() - reportedAt;
  say(`reported: ${assetTag}, case ${caseId}`);
  await Promise.all(tools.map((tool, index) => untilDead(tool, tokens[index] ?? '')));
  const containedMs = since();
  say(`contained: no session works at any of ${tools.length} tools, ${inSeconds(containedMs)} after the report`);
  const seen = await untilClosed(api, caseId);

  const path = `/v1/lost-devices/${caseId}`;
  const { proposal } = await api.get(path, Loss);
  say(`the runbook proposes: ${proposal?.propose ?? 'nothing'}. ${proposal?.because ?? ''}`);
  await wipe(stage, caseId, assetTag);
  const wipedMs = since();
  say('wiped: ordered by one person, approved by another, given by the service, and read back at the device manager');
  await finish(api, path);
  const { tasks, awareAt, worksheet } = await api.get(path, Loss);
  const start = Date.parse(awareAt);
  return {
    startedAt,
    tools: tools.length,
    runbook,
    reportedMs: round(reportedAt - askedAt),
    lastSentMs: lastOfCuts(seen.steps, 'sentAt', tools.length) - start,
    containedMs: round(containedMs),
    confirmedMs: lastOfCuts(seen.steps, 'confirmedAt', tools.length) - start,
    proposal: proposal?.propose ?? 'none',
    wipedMs: round(wipedMs),
    tasks: tasks.map(({ task, owner, dueAt, doneAt }) => ({
      task,
      owner,
      withinSeconds: (Date.parse(dueAt) - start) / 1_000,
      endedMs: doneAt === null ? null : Date.parse(doneAt) - start,
    })),
    encryptionShown: worksheet.encryption.shown,
  };
}

/** Somebody with an account at every tool, and a laptop that told an hour ago that its disk isn't encrypted. */
async function prepare(
  { api, hr, tools, deviceManager, deviceManagerId }: DrillStage,
  say: (line: string) => void,
): Promise<{ username: string; assetTag: string }> {
  const { event, username } = joined();
  const { caseId } = await hr.post(hr.message(event));
  if (caseId === null) throw new Error('The simulated HR system’s join opened no case.');
  await untilClosed(api, caseId);
  const { personId } = await api.get(`/v1/cases/${caseId}`, z.object({ personId: z.uuid() }));
  const model = await api.post('/v1/device-models', { name: 'Simulated laptop', manufacturer: 'Nobody' }, Id);
  const assetTag = 'DRILL-1';
  const device = await api.post(
    '/v1/devices',
    { assetTag, serial: assetTag, modelId: model.id, imageVersionId: null },
    Id,
  );
  const observedAt = new Date(Date.now() - 3_600_000).toISOString();
  const observation = { kind: 'disk_encryption', value: 'not_encrypted', source: 'simulated agent', observedAt };
  await api.post(`/v1/devices/${device.id}/observations`, observation, z.unknown());
  await api.post(`/v1/devices/${device.id}/assign`, { personId }, z.unknown());
  deviceManager.enrol(assetTag);
  await api.post(`/v1/device-managers/${deviceManagerId}/ask`, undefined, z.unknown());
  say(
    `${username} has accounts at ${tools.length} simulated tools, is signed in to each, and has the laptop ${assetTag}`,
  );
  return { username, assetTag };
}

/** A session on the laptop, at a tool that this process is: one that works, or its end would show nothing. */
export async function signIn({ accounts, url }: ExampleTool, username: string, device: string): Promise<string> {
  const account = [...accounts.byId.values()].find((one) => one.username === username);
  if (!account) throw new Error(`A simulated tool has no account ${username}.`);
  const token = `session-of-${device}-${account.id}`;
  account.tokens.set(token, device);
  const status = await tryAt(url, token);
  if (status !== 200) throw new Error(`A session at a simulated tool doesn't work before the loss: ${status}.`);
  return token;
}

async function tryAt(url: string, token: string): Promise<number> {
  return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
}

async function untilDead({ url }: ExampleTool, token: string): Promise<void> {
  await until('a session on the lost laptop still works', async () => (await tryAt(url, token)) === 401);
}

async function untilClosed(api: QuartermasterApi, caseId: string): Promise<z.infer<typeof Case>> {
  let seen = await api.get(`/v1/cases/${caseId}`, Case);
  await until(`the case ${caseId} isn't closed`, async () => {
    seen = await api.get(`/v1/cases/${caseId}`, Case);
    return seen.state === 'closed';
  });
  return seen;
}

async function wipe({ api, second, deviceManager, signal }: DrillStage, caseId: string, serial: string): Promise<void> {
  const stage = { admin: api, signal };
  const path = `/v1/lost-devices/${caseId}`;
  // What two people approve names who would give the order.
  await untilLoss(stage, caseId, 'the device manager has the laptop', ({ givers }) => givers.wipe.by === 'service');
  const decision = { decision: 'wipe', reason: 'A drill: the disk was not encrypted.' };
  const { approval } = await second.post(`${path}/containment`, decision, Contained);
  if (approval === null) throw new Error('A wipe was decided by one person.');
  await api.post(`/v1/approvals/${approval.id}/approve`, { note: 'A drill.' }, z.unknown());
  const { kind, verifiedBy } = await seeOrderThrough(stage, caseId, 'It starts as a new one.');
  const shown = deviceManager.stateOf(serial);
  if (kind === 'wipe' && verifiedBy === 'manager' && shown === 'wiped') return;
  throw new Error(`Two people decided to wipe the laptop, and its device manager shows it ${shown}.`);
}

/** What people do about a loss, all of it; what only time or a restoration ends stays due. */
async function finish(api: QuartermasterApi, path: string): Promise<void> {
  const { tasks } = await api.get(path, Loss);
  for (const { task } of tasks.filter(({ ends, doneAt }) => ends === null && doneAt === null)) {
    await api.post(`${path}/tasks/${task}/complete`, { note: 'A drill.' }, z.unknown());
  }
  await api.post(
    `${path}/assessment`,
    { decision: 'no_notification', reason: 'A drill: nothing was lost.' },
    z.unknown(),
  );
  await until('the cut isn’t noted', async () => {
    const now = await api.get(path, Loss);
    return now.tasks.every(({ ends, doneAt }) => ends !== 'cut-access' || doneAt !== null);
  });
}

async function until(problem: string, isSo: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > LIMIT_MS) throw new Error(`After ${LIMIT_MS / 1_000} s ${problem}.`);
    await pause(20);
  }
}

/** In milliseconds since 1970. @param tools how many cuts there have to be at least. @throws where one is missing, or has no such instant */
export function lastOfCuts(steps: Steps, instant: 'sentAt' | 'confirmedAt', tools: number): number {
  const cuts = steps.filter(({ act }) => act === 'suspend_account');
  if (cuts.length < tools) throw new Error(`The case has ${cuts.length} cuts at ${tools} tools.`);
  return Math.max(
    ...cuts.map(({ toolName, [instant]: at }) => {
      if (at === null) throw new Error(`The cut at ${toolName} has no ${instant}.`);
      return Date.parse(at);
    }),
  );
}

export function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function round(ms: number): number {
  return Math.round(ms);
}
