import { z } from 'zod';
import { proveDead, signInEverywhere } from './access.js';
import { DeviceSeen, type CaseSeen } from './api-shapes.js';
import { followCase } from './follow-case.js';
import { leadTimeOf } from './follow-runbook.js';
import { isFound } from './is-found.js';
import type { Colleague } from './joins.js';
import { Laptop } from './laptop.js';
import { doManualTasks } from './manual-tasks.js';
import type { Stage } from './stage.js';
import { duration } from './terminal.js';
import { outOfOrder } from './timeline.js';
import { TokenWatch } from './token-watch.js';

const WithSerial = DeviceSeen.extend({ serial: z.string() });
const Restored = z.object({ caseId: z.uuid(), stillHeld: z.array(z.string()) });

/** A replacement, and access again: with new credentials, while those from before the loss stay dead. Then the lost one is found. */
export async function comesBack(stage: Stage, colleague: Colleague, loss: CaseSeen): Promise<Colleague> {
  const { admin, api, company, report, stranger } = stage;
  const { employee, personId, access: lost, laptop: lostLaptop } = colleague;
  report.begin(`3  ${employee.displayName} gets a replacement`, 'access is restored with new credentials');
  const closedLoss = await doManualTasks(
    stage,
    loss,
    'Badge blocked at the door controller; screenshot in the ticket.',
  );
  const wrong = outOfOrder(closedLoss.steps);
  report.prove('each account of the loss: requested, then sent, then confirmed', wrong.length === 0, { wrong });

  const kept = (await leadTimeOf(stage, loss.id))?.reservedDeviceId;
  const replacement = await Laptop.of(await admin.get(`/v1/devices/${kept}`, WithSerial), admin, stranger);
  const { id: replacementDeviceId, assetTag } = replacement;
  const watches = [
    new TokenWatch(company.directory, lost.directory.token),
    new TokenWatch(company.chat, lost.chat.token),
  ];
  const restoredAt = performance.now();
  const stopWatches = () => Promise.all(watches.map((watch) => watch.stop()));
  const restore = async (): Promise<CaseSeen> => {
    const { caseId } = await admin.post(`/v1/lost-devices/${loss.id}/restore`, { replacementDeviceId }, Restored);
    const seen = await followCase(stage, caseId);
    report.measure('accessRestoredMs', performance.now() - restoredAt);
    return doManualTasks(stage, seen, 'New badge handed over in person.');
  };
  await restore().finally(stopWatches);

  const given = await api.get(`/v1/devices/${replacementDeviceId}`, DeviceSeen);
  await replacement.tell({ kind: 'last_online', value: 'now' }, new Date());
  const { leadSeconds = null } = (await leadTimeOf(stage, loss.id)) ?? {};
  report.prove(
    `the spare ${assetTag} is theirs; its first check-in stops the clock, ${duration((leadSeconds ?? 0) * 1_000)} after the loss`,
    given.state === 'assigned' && given.holderId === personId && leadSeconds !== null && leadSeconds > 0,
    { given, leadSeconds },
  );
  const access = await signInEverywhere(stage, personId, employee.email, assetTag);
  const tried = await stopWatches();
  const tries = tried.reduce((sum, watch) => sum + watch.tries, 0);
  const accepted = tried.reduce((sum, watch) => sum + watch.accepted, 0);
  report.prove(
    `the lost tokens were tried ${tries} times while access came back: never accepted`,
    accepted === 0 && tries > 0,
    {
      tries,
      accepted,
    },
  );
  await proveDead(stage, lost, 'the lost');
  await isFound(stage, loss.id, lostLaptop);
  return { ...colleague, access, laptop: replacement };
}
