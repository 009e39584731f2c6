import { z } from 'zod';
import { within, type Stage } from './stage.js';
import type { SshDevice } from './ssh-gateway.js';

/** A person's account at the gateway, and the device with which they go there. */
export interface SshAccess {
  accountId: string;
  username: string;
  device: SshDevice;
}

const Certificate = z.object({ certificate: z.string() });
const Devices = z.object({ devices: z.array(z.string()).nullable() });

/** The admin has the device's public key signed for a while; the private half stays on the device. */
export async function certify({ admin }: Stage, accountId: string, device: SshDevice): Promise<void> {
  const body = { device: device.name, publicKey: device.publicKey };
  await device.keep((await admin.post(`/v1/accounts/${accountId}/certificates`, body, Certificate)).certificate);
}

/** A second device of the same person is revoked while both are signed in: one ends, the other goes on. */
export async function revokeOneDevice(stage: Stage, { accountId, username, device }: SshAccess): Promise<void> {
  const { admin, company, report, signal } = stage;
  const { gateway } = company;
  if (!gateway) return;
  const tablet = await gateway.device(`${device.name}-tablet`);
  await certify(stage, accountId, tablet);
  const [onTablet, onLaptop] = await Promise.all([gateway.enter(username, tablet), gateway.enter(username, device)]);
  report.prove('a tablet is certified too; a live SSH session on each', onTablet !== null && onLaptop !== null);
  const askedAt = performance.now();
  const { devices } = await admin.post(`/v1/accounts/${accountId}/revoke-device`, { device: tablet.name }, Devices);
  const cutAt = await within(10_000, 'the tablet’s session ends', onTablet?.cut ?? Promise.resolve(0), signal);
  const back = await gateway.enter(username, tablet);
  back?.close();
  report.prove(
    'the tablet is given back and revoked: its session ended, its certificate is refused; the laptop’s session goes on',
    back === null && onLaptop?.isOpen() === true && devices?.join() === device.name,
    { devices },
    cutAt - askedAt,
  );
  onLaptop?.close();
}
