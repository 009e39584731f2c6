import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { STEP_ACTS } from '../cases/step-states.js';
import { AgedObservationView, agedObservationView } from '../devices/devices-views.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { LostDevicesService, type DeviceNamed } from './lost-devices.service.js';

const NAMED = {
  deviceId: z.uuid().optional(),
  assetTag: z.string().trim().min(1).max(200).optional(),
  serial: z.string().trim().min(1).max(200).optional(),
};
const NOT_NAMED = { error: 'one of deviceId, assetTag and serial is needed' };

const ReportLoss = z
  .strictObject({
    ...NAMED,
    scope: z
      .enum(['person', 'device'])
      .default('person')
      .describe(
        'person: cut all of the holder’s access. device: only what this device holds, where a tool can tell devices apart, and new credentials elsewhere; the person works on.',
      ),
    note: z.string().max(2_000).optional(),
  })
  .refine(isNamed, NOT_NAMED);

const NamedDevice = z.strictObject(NAMED).refine(isNamed, NOT_NAMED);

const WouldBeCut = z.array(
  z.object({
    tool: z.string(),
    username: z.string().nullable().describe('Null: a look for whatever else there is.'),
    act: z.enum(STEP_ACTS),
  }),
);

const LossPreviewed = z.object({
  deviceId: z.uuid(),
  assetTag: z.string(),
  personId: z.uuid(),
  proposedScope: z.enum(['person', 'device']),
  because: z.string(),
  diskEncryption: AgedObservationView.nullable().describe('Null: nobody ever looked, which isn’t “not encrypted”.'),
  person: WouldBeCut.describe('With the scope person.'),
  device: WouldBeCut.describe('With the scope device.'),
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
    @Body({ schema: ReportLoss }) { note, ...named }: z.infer<typeof ReportLoss>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossReported>> {
    return this.lostDevices.report(named, note, actor);
  }

  @Post('preview')
  @HttpCode(200)
  @Allow('lost-devices:report', 'within-reach')
  @NeverLimited()
  @ApiOperation({ summary: 'What a report would cut, and what is known of the machine; nothing is done' })
  @ApiOkResponse({ standardSchema: LossPreviewed })
  async preview(
    @Body({ schema: NamedDevice }) named: z.infer<typeof NamedDevice>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossPreviewed>> {
    const { device, personId, scope, diskEncryption, person, deviceOnly } = await this.lostDevices.preview(
      named,
      actor,
    );
    return {
      deviceId: device.id,
      assetTag: device.assetTag,
      personId,
      proposedScope: scope?.propose ?? 'person',
      because: scope?.because ?? 'No runbook says otherwise.',
      diskEncryption: diskEncryption && agedObservationView(diskEncryption),
      person,
      device: deviceOnly,
    };
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

function isNamed({ deviceId, assetTag, serial }: DeviceNamed): boolean {
  return (deviceId ?? assetTag ?? serial) !== undefined;
}
