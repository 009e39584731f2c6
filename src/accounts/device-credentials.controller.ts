import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DeviceCredentialsService } from './device-credentials.service.js';

const AccountId = z.uuid();
const Device = z.string().min(1).max(60).describe('The device’s asset tag, or whatever else names it for good.');
const Certify = z.object({
  device: Device,
  publicKey: z.string().max(4_000).describe('One line as in id_ed25519.pub; the private half never leaves the device.'),
});
const CertificateView = z.object({
  certificate: z.string().describe('One line as in id_ed25519-cert.pub.'),
  serial: z.string(),
  validUntil: z.iso.datetime(),
});
const Revoke = z.object({ device: Device });
const DevicesView = z.object({
  devices: z.array(z.string()).nullable().describe('The devices that still have credentials; null: it can’t be seen.'),
});

@ApiTags('accounts')
@Controller('v1/accounts/:id')
export class DeviceCredentialsController {
  constructor(private readonly credentials: DeviceCredentialsService) {}

  @Post('certificates')
  @Allow('accounts:hand-over', 'within-reach')
  @ApiCreatedResponse({ standardSchema: CertificateView })
  async certify(
    @Param('id', { schema: AccountId }) id: string,
    @Body({ schema: Certify }) { device, publicKey }: z.infer<typeof Certify>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof CertificateView>> {
    const { certificate, serial, validUntil } = await this.credentials.certify(actor, id, device, publicKey);
    return { certificate, serial, validUntil: validUntil.toISOString() };
  }

  @Post('revoke-device')
  @HttpCode(200)
  @Allow('credentials:reset', 'within-reach')
  @NeverLimited()
  @ApiOkResponse({ standardSchema: DevicesView, description: 'The device is out, and the others go on.' })
  async revoke(
    @Param('id', { schema: AccountId }) id: string,
    @Body({ schema: Revoke }) { device }: z.infer<typeof Revoke>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof DevicesView>> {
    const { devices } = await this.credentials.revoke(actor, id, device);
    return { devices: devices ? [...devices] : null };
  }
}
