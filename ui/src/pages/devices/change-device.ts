import { answerOf, api, once } from '../../api/client.js';
import type { Device } from '../../api/types.js';
import type { HandState } from '../../states/device-moves.js';

type Change = { state: HandState } | { working: boolean } | { siteId: string | null };

/** As it was shown here: what somebody else changed meanwhile isn't overwritten. @throws ApiProblem */
export function changeDevice({ id, version }: Device, body: Change): Promise<Device> {
  const params = { path: { id }, header: { 'If-Match': `"${version}"` } };
  return answerOf(api.PATCH('/v1/devices/{id}', { params, body }));
}

/** By hand to another state; from somebody to the shelf it is taken back. @throws ApiProblem */
export function moveDevice(device: Device, to: HandState, key = once()): Promise<Device> {
  if (to !== 'in_stock' || device.holderId === null) return changeDevice(device, { state: to });
  const params = { path: { id: device.id }, header: key };
  return answerOf(api.POST('/v1/devices/{id}/return', { params }));
}
