import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { LostDevicesService } from './lost-devices.service.js';

const ReportLoss = z
  .strictObject({
    deviceId: z.uuid().optional(),
    assetTag: z.string().trim().min(1).max(200).optional(),
    serial: z.string().trim().min(1).max(200).optional(),
    scope: z
      .enum(['person', 'device'])
      .default('person')
      .describe(
        'person: cut all of the holder’s access. device: only what this device holds, in tools that can tell devices apart.',
      ),
    note: z.string().max(2_000).optional(),
  })
  .refine(({ deviceId, assetTag, serial }) => deviceId ?? assetTag ?? serial, {
    error: 'one of deviceId, assetTag and serial is needed',
  });

const LossReported = z.object({
  caseId: z.uuid(),
  again: z.boolean().describe('True: this loss was reported before, and this is its case.'),
});

const RestoreAccess = z.strictObject({
  replacementDeviceId: z.uuid().optional().describe('Given out to the person in the same decision.'),
});

const AccessRestored = z.object({
  caseId: z.uuid(),
  stillHeld: z
    .array(z.string())
    .describe('Other reasons why the person stays without access; empty: access comes back.'),
  held: z.boolean().describe('A brake holds it: nothing is given back before two people decide.'),
});

@ApiTags('lost devices')
@Controller('v1/lost-devices')
export class LostDevicesController {
  constructor(private readonly lostDevices: LostDevicesService) {}

  @Post()
  @HttpCode(202)
  @Allow('lost-devices:report', 'within-reach')
  @NeverLimited()
  @Idempotent('optional')
  @ApiAcceptedResponse({ standardSchema: LossReported })
  async report(
    @Body({ schema: ReportLoss }) { scope, note, ...named }: z.infer<typeof ReportLoss>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossReported>> {
    if (scope === 'device') {
      const detail = 'No tool that is set up here can tell one device from another yet. Report it with scope "person".';
      throw new Problem('invalid-request', detail, [{ pointer: '/scope', detail }]);
    }
    return this.lostDevices.report(named, note, actor);
  }

  @Post(':caseId/restore')
  @HttpCode(202)
  @Allow('access:restore', 'within-reach')
  @FreshSignIn()
  @ApiAcceptedResponse({ standardSchema: AccessRestored })
  async restore(
    @Param('caseId', { schema: z.uuid() }) caseId: string,
    @Body({ schema: RestoreAccess }) { replacementDeviceId }: z.infer<typeof RestoreAccess>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof AccessRestored>> {
    return this.lostDevices.restore(caseId, replacementDeviceId, actor);
  }
}
