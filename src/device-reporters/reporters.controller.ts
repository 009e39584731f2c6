import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AddObservation, newObservation } from '../devices/add-observation.js';
import { ObservationsService } from '../devices/observations.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { Instant } from '../platform/http/instant.js';
import { FailedSignIns } from '../platform/rate-limits/failed-sign-ins.service.js';
import { TooManyRequests } from '../platform/rate-limits/too-many-requests.js';
import { originOf } from '../platform/sign-in/origin.js';
import { Public } from '../platform/sign-in/who-may-call.js';
import { DeviceKeys, WANTED_BECAUSE } from '../recovery-keys/device-keys.service.js';
import { PROTECTED_BY } from '../recovery-keys/recovery-key.entity.js';
import { DeviceTokens, type Sender, type Unheard } from './device-tokens.service.js';

const who = {
  token: z.string().min(1).max(500).describe('The device’s own: `POST /v1/devices/{id}/token`.'),
  serial: z.string().trim().min(1).max(200).describe('Of this machine: another one than the device’s is refused.'),
};

const protects = z.enum(PROTECTED_BY);
const KeyQuestion = z.strictObject({ ...who, protects });
const KeyWanted = z.object({
  wanted: z.boolean(),
  because: z.enum(WANTED_BECAUSE).nullable().describe('Null: what is kept is well.'),
});

const EscrowKey = z.strictObject({
  ...who,
  protects,
  key: z.string().min(8).max(1024).describe('Sealed at once. One whose format is wrong is refused.'),
  provedAt: Instant.nullable().default(null).describe('When this machine saw that it unlocks; null: it didn’t look.'),
});
const EscrowedKey = z.object({ id: z.uuid(), keptAt: z.iso.datetime() });

const Report = z.strictObject({ ...who, observation: AddObservation.describe('Its `source` becomes `reporter`.') });
const Taken = z.object({ taken: z.literal(true) });

/** What a device's own reporter tells, in the name of that device only (`ops/reporters`). */
@ApiTags('device reporters')
@Controller('v1/reporters')
export class ReportersController {
  constructor(
    private readonly db: DataSource,
    private readonly tokens: DeviceTokens,
    private readonly keys: DeviceKeys,
    private readonly observations: ObservationsService,
    private readonly failedSignIns: FailedSignIns,
  ) {}

  @Post('observations')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What a machine saw of itself' })
  @ApiOkResponse({ standardSchema: Taken })
  async observe(
    @Body({ schema: Report }) { observation, ...shown }: z.infer<typeof Report>,
    @Req() request: Request,
  ): Promise<z.infer<typeof Taken>> {
    // By a name of its own: it must not speak for osquery, or for a device manager.
    const seen = { ...newObservation(observation), source: 'reporter' };
    return this.asDevice(shown, request, async (tx, { deviceId }) => {
      await this.observations.takeIn(tx, deviceId, [seen]);
      return { taken: true };
    });
  }

  @Post('recovery-keys/wanted')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({
    summary: 'Whether this machine is to make a new recovery key: none is kept, or it is to be replaced',
  })
  @ApiOkResponse({ standardSchema: KeyWanted })
  async wanted(
    @Body({ schema: KeyQuestion }) { protects: kind, ...shown }: z.infer<typeof KeyQuestion>,
    @Req() request: Request,
  ): Promise<z.infer<typeof KeyWanted>> {
    const because = await this.asDevice(shown, request, (tx, { deviceId }) =>
      this.keys.wantedBecause(tx, deviceId, kind),
    );
    return { wanted: because !== null, because };
  }

  @Post('recovery-keys')
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'Keep a recovery key of this very machine, beside those before it' })
  @ApiCreatedResponse({ standardSchema: EscrowedKey })
  async escrow(
    @Body({ schema: EscrowKey }) { token, serial, provedAt, ...key }: z.infer<typeof EscrowKey>,
    @Req() request: Request,
  ): Promise<z.infer<typeof EscrowedKey>> {
    const { id, keptAt } = await this.asDevice({ token, serial }, request, (tx, sender) =>
      this.keys.escrow(
        tx,
        { ...sender, from: originOf(request) },
        {
          ...key,
          provedAt: provedAt === null ? null : new Date(provedAt),
        },
      ),
    );
    return { id, keptAt: keptAt.toISOString() };
  }

  /** @throws Problem `unauthenticated`, `forbidden` for another machine; TooManyRequests */
  private async asDevice<T>(
    { token, serial }: { token: string; serial: string },
    request: Request,
    work: (tx: EntityManager, sender: Sender) => Promise<T>,
  ): Promise<T> {
    // Kept whatever becomes of the rest: that it spoke, and that a token was copied.
    const sender = await inTransaction(this.db, (tx) => this.tokens.senderOf(tx, token, serial));
    if (typeof sender !== 'string') return inTransaction(this.db, (tx) => work(tx, sender));
    if (sender === 'other machine') {
      throw new Problem(
        'forbidden',
        'This token is another machine’s. Make one for this device, and put it in its place.',
      );
    }
    const wait = await this.failedSignIns.note('agent', request);
    if (wait > 0) throw new TooManyRequests('Too many reporters were refused from this address.', wait);
    throw new Problem('unauthenticated', `${WHY_UNHEARD[sender]} ${ANOTHER}`);
  }
}

const WHY_UNHEARD: Record<Exclude<Unheard, 'other machine'>, string> = {
  unknown: 'No device has this token.',
  ended: 'This token is ended: another one was made since, or somebody ended it.',
  replaced: 'Another token was made for this device since.',
  withdrawn: 'Somebody ended this token.',
  handed_back: 'This token ended when the device left the person who had it.',
  retired: 'This token ended when the device was retired.',
};
const ANOTHER =
  'Nothing was taken. Whoever looks after the device makes a new one (`quartermaster devices token ASSET-TAG`, or POST ' +
  '/v1/devices/{id}/token) and puts it in the place of this one, on that machine.';
