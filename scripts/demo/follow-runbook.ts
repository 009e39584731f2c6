import { z } from 'zod';
import { KeysSeen, LeadTimeSeen, LossSeen } from './api-shapes.js';
import { seeOrderThrough, untilLoss } from './follow-loss.js';
import type { Laptop } from './laptop.js';
import type { Stage } from './stage.js';

const HOURS_72_MS = 72 * 3_600_000;

/** What the runbook says of the machine itself: what is known, the lock, the spare, and the breach assessment. */
export async function followRunbook(stage: Stage, caseId: string, laptop: Laptop): Promise<void> {
  const { admin, report } = stage;
  const path = `/v1/lost-devices/${caseId}`;
  const { proposal, worksheet } = await admin.get(path, LossSeen);
  report.prove(
    `the runbook proposes to ${proposal?.propose ?? 'do nothing'}: ${proposal?.because ?? 'none counts'}`,
    proposal?.propose === 'lock' && worksheet.encryption.shown === 'yes' && proposal.facts.length > 0,
    { proposal, worksheet },
  );
  const keys = await admin.get(`/v1/devices/${laptop.id}/recovery-keys`, KeysSeen);
  report.prove(
    'its recovery key is kept, sealed, and nobody has read it since it was made',
    keys.items.length === 1 && keys.notRevealedSinceRotation,
    { keys },
  );
  await lock(stage, caseId, laptop);
  await assess(stage, caseId);
  const { tasks } = await admin.get(path, LossSeen);
  const due = tasks.filter(({ doneAt }) => doneAt === null);
  report.prove(`${due.length} tasks are still due, each with an owner and a time`, due.length > 1, { tasks });
}

async function lock(stage: Stage, caseId: string, { serial }: Laptop): Promise<void> {
  const { admin, company, report } = stage;
  await untilLoss(stage, caseId, 'a device manager has the laptop', ({ givers }) => givers.lock.by === 'service');
  const decision = { decision: 'lock', reason: 'Encrypted with a PIN, as seen before it was lost.' };
  const decidedAt = performance.now();
  await admin.post(`/v1/lost-devices/${caseId}/containment`, decision, z.unknown());
  const order = await seeOrderThrough(stage, caseId, 'Fleet shows it locked.');
  report.prove(
    'the service had Fleet (an emulator here) lock it, and read it back there: locked, and not only asked for',
    order.givenBy === 'service' && order.verifiedBy === 'manager' && company.deviceManager.stateOf(serial) === 'locked',
    { order, shown: company.deviceManager.stateOf(serial) },
    performance.now() - decidedAt,
  );
}

async function assess({ admin, report }: Stage, caseId: string): Promise<void> {
  const path = `/v1/lost-devices/${caseId}`;
  const decided = {
    decision: 'no_notification',
    reason: 'Encrypted with a PIN; the key was never read; all access cut.',
  };
  const { awareAt, worksheet, assessment } = await admin.post(`${path}/assessment`, decided, LossSeen);
  report.prove(
    `the 72 hours of the breach assessment run from the report; it is decided, and its worksheet of ${worksheet.reachable.length} accounts is kept as it is`,
    Date.parse(worksheet.notifyBy) - Date.parse(awareAt) === HOURS_72_MS &&
      worksheet.reachable.length > 0 &&
      assessment?.decision === 'no_notification',
    { awareAt, worksheet, assessment },
  );
}

/** What is known of a loss's replacement. */
export async function leadTimeOf({ admin }: Stage, caseId: string): Promise<LeadTimeSeen | undefined> {
  const losses = await admin.list('/v1/lost-devices/lead-times', LeadTimeSeen);
  return losses.find(({ lossCaseId }) => lossCaseId === caseId);
}
