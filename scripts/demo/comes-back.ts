import { z } from 'zod';
import { proveDead, signInEverywhere } from './access.js';
import { DeviceSeen, type CaseSeen } from './api-shapes.js';
import { followCase } from './follow-case.js';
import type { Colleague } from './joins.js';
import { doManualTasks } from './manual-tasks.js';
import type { Stage } from './stage.js';
import { outOfOrder } from './timeline.js';
import { TokenWatch } from './token-watch.js';

const Restored = z.object({ caseId: z.uuid(), stillHeld: z.array(z.string()) });

/** A replacement, and access again: with new credentials, while those from before the loss stay dead. */
export async function comesBack(stage: Stage, colleague: Colleague, loss: CaseSeen): Promise<Colleague> {
  const { admin, api, company, equipment, report } = stage;
  const { employee, personId, access: lost } = colleague;
  report.begin(`3  ${employee.displayName} gets a replacement`, 'access is restored with new credentials');
  const closedLoss = await doManualTasks(
    stage,
    loss,
    'Badge blocked at the door controller; screenshot in the ticket.',
  );
  const wrong = outOfOrder(closedLoss.steps);
  report.prove('each account of the loss: requested, then sent, then confirmed', wrong.length === 0, { wrong });

  const assetTag = `QM-${employee.number}-B`;
  const { id: replacementDeviceId } = await equipment.deliver(assetTag, `SN-${employee.number}-B`, 12);
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

  const laptop = await api.get(`/v1/devices/${replacementDeviceId}`, DeviceSeen);
  report.prove(`the replacement ${assetTag} is theirs`, laptop.state === 'assigned' && laptop.holderId === personId, {
    laptop,
  });
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
  return { ...colleague, access, laptop };
}
