import { z } from 'zod';
import { proveDead, proveSuspended } from './access.js';
import { AlertSeen, DeviceSeen, LossSeen, type CaseSeen } from './api-shapes.js';
import { followCase } from './follow-case.js';
import type { Colleague } from './joins.js';
import { openTask } from './manual-tasks.js';
import type { Report } from './report.js';
import { within, type Stage } from './stage.js';
import { duration } from './terminal.js';
import { outOfOrder, printTimeline } from './timeline.js';
import { TokenWatch } from './token-watch.js';

const Reported = z.object({ caseId: z.uuid(), again: z.boolean() });
const Knowledge = z.object({ value: z.string(), source: z.string(), ageSeconds: z.number() });

/** "Within seconds": later than this the demo fails. */
const SECONDS_MS = 10_000;

/** A laptop with a live session on it is reported lost. Answers the case, with one task left open. */
export async function losesLaptop(stage: Stage, { employee, personId, access, laptop }: Colleague): Promise<CaseSeen> {
  const { admin, company, report, signal, terminal } = stage;
  report.begin(
    `2  ${employee.displayName} loses the laptop`,
    'a database session is open on it, and both apps are signed in',
  );
  const { username, password } = access.analytics;
  const session = await company.analytics.logIn(username, password);
  await session.query('BEGIN');
  await session.query('SELECT count(*) FROM orders');
  const before = await company.analytics.role(username);
  report.prove(`a live session, in a transaction, as ${username} (process ${session.pid})`, before?.sessions === 1, {
    before,
  });

  const ssh = access.ssh && (await company.gateway?.enter(access.ssh.username, access.ssh.device));
  if (access.ssh) report.prove('a live SSH session at the gateway', ssh?.isOpen() === true);

  const watches = {
    directory: new TokenWatch(company.directory, access.directory.token),
    chat: new TokenWatch(company.chat, access.chat.token),
  };
  const reportedAt = performance.now();
  const body = { assetTag: laptop.assetTag, note: 'Left on the night train.' };
  const { caseId } = await admin.post('/v1/lost-devices', body, Reported);
  const [seen, cutAt] = await Promise.all([
    followCase(stage, caseId),
    within(SECONDS_MS, 'the live session is cut', session.cut, signal),
  ]).finally(() => Promise.all(Object.values(watches).map((watch) => watch.stop())));

  report.prove('the live session died', cutAt > reportedAt, {}, cutAt - reportedAt);
  report.measure('liveSessionCutMs', cutAt - reportedAt);
  if (ssh) {
    const sshCutAt = await within(SECONDS_MS, 'the live SSH session ends', ssh.cut, signal);
    report.prove('the live SSH session died', sshCutAt > reportedAt, {}, sshCutAt - reportedAt);
    report.measure('sshSessionCutMs', sshCutAt - reportedAt);
  }
  for (const [name, watch] of Object.entries(watches)) {
    const { deadSince, tries, accepted } = await watch.stop();
    const ms = (deadSince ?? Infinity) - reportedAt;
    report.prove(
      `${name}: the token on the laptop is dead (it worked before)`,
      accepted > 0 && ms < SECONDS_MS,
      { tries, accepted },
      ms,
    );
    report.measure(`${name}TokenDeadMs`, ms);
  }
  await proveDead(stage, access, 'the lost');
  await proveSuspended(stage, access);
  proveTimes(report, seen, Object.keys(stage.tools).length - 1);
  await proveDevice(stage, seen, laptop.id, personId);
  await proveOpenTask(stage, seen, employee.email);
  await followRunbook(stage, caseId);
  printTimeline(terminal, seen);
  return seen;
}

/** What the runbook says of the machine itself, and the order to lock it, seen through by hand. */
async function followRunbook({ admin, report }: Stage, caseId: string): Promise<void> {
  const path = `/v1/lost-devices/${caseId}`;
  const { proposal, tasks, worksheet } = await admin.get(path, LossSeen);
  report.prove(
    `the runbook proposes to ${proposal?.propose ?? 'do nothing'}: ${proposal?.because ?? 'none counts'}`,
    proposal?.propose === 'lock' && worksheet.encryption.shown === 'yes',
    { proposal, worksheet },
  );
  const reason = 'Encrypted with a PIN, as seen before it was lost.';
  const { loss } = await admin.post(`${path}/containment`, { decision: 'lock', reason }, z.object({ loss: LossSeen }));
  const [order] = loss.commands;
  const note = 'The device manager shows it online and locked.';
  const { commands } = await admin.post(
    `${path}/commands/${order?.id}/progress`,
    { state: 'acknowledged', note },
    LossSeen,
  );
  const due = tasks.filter(({ doneAt }) => doneAt === null).length;
  report.prove(
    `the lock is ${commands[0]?.state}, which isn’t verified yet; ${due - 1} tasks are still due, each with an owner and a time`,
    order?.state === 'ordered' && commands[0]?.state === 'acknowledged' && due > 1,
    { commands, tasks },
  );
}

function proveTimes(report: Report, { steps, lane }: CaseSeen, toolsWithApi: number): void {
  const byTools = steps.filter(({ state }) => state !== 'needs_human');
  const wrong = outOfOrder(byTools);
  const cuts = byTools.filter(({ act }) => act === 'suspend_account');
  report.prove(
    `${cuts.length} accounts, each requested, then sent, then confirmed, in the ${lane} lane`,
    cuts.length === toolsWithApi && wrong.length === 0 && lane === 'emergency',
    { cuts: cuts.length, wrong },
  );
  const lastConfirmed = Math.max(...cuts.map(({ confirmedAt }) => Date.parse(confirmedAt ?? '')));
  report.measure('allAccountsConfirmedMs', lastConfirmed - Date.parse(cuts[0]?.requestedAt ?? ''));
}

async function proveDevice(
  { api, report }: Stage,
  { facts }: CaseSeen,
  deviceId: string,
  personId: string,
): Promise<void> {
  const { state, holderId } = await api.get(`/v1/devices/${deviceId}`, DeviceSeen);
  const encryption = Knowledge.safeParse(facts['diskEncryption']);
  const known =
    encryption.data &&
    `${encryption.data.value} (${encryption.data.source}, ${duration(encryption.data.ageSeconds * 1_000)} old)`;
  report.prove(
    `the device is marked lost; known of its disk at that moment: ${known ?? 'nothing'}`,
    state === 'lost' &&
      holderId === personId &&
      encryption.data?.value === 'encrypted' &&
      encryption.data.ageSeconds >= 60,
    { state, facts },
  );
}

async function proveOpenTask({ admin, report, tools }: Stage, seen: CaseSeen, subject: string): Promise<void> {
  const task = openTask(seen);
  const alerts = await admin.list('/v1/alerts?state=open', AlertSeen);
  const alert = alerts.find(({ stepId }) => stepId === task?.id);
  const { owner = null, deadline = null } = task ?? {};
  report.prove(
    `the badge office is visibly not done: ${owner ?? 'nobody'} owns it, with a deadline and an alert; the case stays open`,
    task?.toolId === tools['badge-office'] &&
      seen.state === 'open' &&
      owner !== null &&
      owner !== subject &&
      Date.parse(deadline ?? '') > Date.now() &&
      alert?.owner === owner,
    { state: task?.state, owner, deadline, alert },
  );
}
