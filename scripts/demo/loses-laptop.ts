import { z } from 'zod';
import { proveDead, proveSuspended } from './access.js';
import { AlertSeen, DeviceSeen, type CaseSeen } from './api-shapes.js';
import { followCase } from './follow-case.js';
import { followRunbook, leadTimeOf } from './follow-runbook.js';
import type { Colleague } from './joins.js';
import { openTask } from './manual-tasks.js';
import type { Report } from './report.js';
import { reportsLoss } from './reports-loss.js';
import { within, type Stage } from './stage.js';
import { duration } from './terminal.js';
import { outOfOrder, printTimeline } from './timeline.js';
import { TokenWatch } from './token-watch.js';

const Knowledge = z.object({ value: z.string(), source: z.string(), ageSeconds: z.number() });

/** Of the one on the shelf. */
const SPARE_IMAGED_MINUTES_AGO = 12;

/** "Within seconds": later than this the demo fails. */
const SECONDS_MS = 10_000;

/** A laptop with a live session on it is reported lost. Answers the case, with one task left open. */
export async function losesLaptop(stage: Stage, colleague: Colleague): Promise<CaseSeen> {
  const { company, equipment, report, signal, terminal } = stage;
  const { employee, personId, access, laptop } = colleague;
  report.begin(
    `2  ${employee.displayName} loses the laptop`,
    'a database session is open on it, and both apps are signed in',
  );
  await equipment.deliver(`QM-${employee.number}-B`, SPARE_IMAGED_MINUTES_AGO);
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
  const caseId = await reportsLoss(stage, colleague);
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
  await proveSpare(stage, seen);
  await proveOpenTask(stage, seen, employee.email);
  await followRunbook(stage, caseId, laptop);
  printTimeline(terminal, seen);
  return seen;
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

async function proveSpare(stage: Stage, { id, personId }: CaseSeen): Promise<void> {
  const kept = (await leadTimeOf(stage, id))?.reservedDeviceId;
  const spare = kept ? await stage.api.get(`/v1/devices/${kept}`, DeviceSeen) : null;
  stage.report.prove(
    `a spare is kept for them from the shelf, with the report: ${spare?.assetTag ?? 'none'}`,
    spare?.state === 'reserved',
    { personId, spare },
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
