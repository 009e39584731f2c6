import { z } from 'zod';
import { DeviceSeen } from './api-shapes.js';
import { seeOrderThrough } from './follow-loss.js';
import type { Laptop } from './laptop.js';
import { ApiRefusal } from './quartermaster-api.js';
import type { Stage } from './stage.js';

/** The lost laptop turns up: it is noted as found, unlocked, and goes to be imaged anew. */
export async function isFound(stage: Stage, caseId: string, laptop: Laptop): Promise<void> {
  const { admin, company, report } = stage;
  const unlock = () =>
    admin.post(`/v1/lost-devices/${caseId}/unlock`, { reason: 'Handed in at the lost property office.' }, z.unknown());
  const refusal = await unlock().then(
    () => null,
    (error: unknown) => (error instanceof ApiRefusal ? error : Promise.reject(error)),
  );
  report.prove('nobody can have it unlocked while it counts as lost', refusal?.status === 409, {
    refusal: refusal?.message,
  });
  await becomes(stage, laptop, 'found');
  const orderedAt = performance.now();
  await unlock();
  const order = await seeOrderThrough(stage, caseId, 'It starts, and Fleet shows it unlocked.');
  const shown = company.deviceManager.stateOf(laptop.serial);
  report.prove(
    `${laptop.assetTag} is found, and then unlocked: read back at Fleet (an emulator here)`,
    order.kind === 'unlock' && order.verifiedBy === 'manager' && shown === 'unlocked',
    { order, shown },
    performance.now() - orderedAt,
  );
  const { state, holderId } = await becomes(stage, laptop, 'in_repair');
  report.prove('it is nobody’s now, and goes to be imaged anew', state === 'in_repair' && holderId === null, {
    state,
    holderId,
  });
}

async function becomes({ admin }: Stage, { id }: Laptop, state: string): Promise<DeviceSeen> {
  const { tag } = await admin.getWithTag(`/v1/devices/${id}`, DeviceSeen);
  return admin.patch(`/v1/devices/${id}`, tag, { state }, DeviceSeen);
}
