import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { methodOf } from '../../connectors/kit/capabilities.js';
import { COMPUTER_ORDERS, type OrderReadiness } from '../../connectors/kit/contract.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DirectCalls } from './direct-calls.service.js';
import { ToolsService } from './tools.service.js';

const ToolId = z.uuid();
const Instant = z.iso.datetime().nullable();
const ComputersQuery = z.object({
  cursor: z.string().min(1).max(2_000).optional().describe('What the page before answered as `next`.'),
});
const ComputersPage = z.object({
  items: z.array(
    z.object({
      id: z.string().describe('The tool’s own stable id.'),
      name: z.string(),
      operatingSystem: z.string().nullable(),
      isEnabled: z.boolean(),
      lastSeenAt: Instant,
    }),
  ),
  next: z.string().nullable(),
  complete: z.boolean().describe('False: the tool cut the list short, so what isn’t on it may be there.'),
});
const Readiness = z.object({
  takes: z.enum(['now', 'later', 'once-unlocked', 'never']),
  because: z.string().nullable(),
});
const Status = z.object({
  isOnline: z.boolean(),
  lastSeenAt: Instant,
  state: z.enum(['unlocked', 'locked', 'wiped', 'unknown']).describe('What it is shown to be. This alone is proof.'),
  pending: z.enum(COMPUTER_ORDERS).nullable().describe('Sent, and not done yet.'),
  orders: z
    .object({ lock: Readiness, unlock: Readiness, wipe: Readiness })
    .describe('Which orders its manager would take as it stands now.'),
  requests: z
    .array(z.object({ what: z.enum(COMPUTER_ORDERS), at: Instant, by: z.string().nullable() }))
    .describe('What people asked for, newest first. It proves nothing.'),
});
const RecoveryKeys = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      keyId: z.string().describe('What the locked computer shows.'),
      volumeId: z.string().nullable(),
      storedAt: Instant,
    }),
  ),
});

/** What a directory knows of computers, asked of it now. That a recovery key is kept is told; the key itself never is. */
@ApiTags('tools')
@Controller('v1/tools/:id/computers')
export class ComputersController {
  constructor(
    private readonly db: DataSource,
    private readonly tools: ToolsService,
    private readonly calls: DirectCalls,
  ) {}

  @Get()
  @Allow('devices:read')
  @ApiOkResponse({ standardSchema: ComputersPage })
  async list(
    @Param('id', { schema: ToolId }) id: string,
    @Query({ schema: ComputersQuery }) { cursor = null }: { cursor?: string | null },
  ): Promise<z.infer<typeof ComputersPage>> {
    await this.tools.get(this.db.manager, id);
    const page = await this.calls.ask(id, (session) => methodOf(session, 'listComputers')(cursor));
    const items = page.computers.map(({ externalId, lastSeenAt, name, operatingSystem, isEnabled }) => ({
      id: externalId,
      name,
      operatingSystem,
      isEnabled,
      lastSeenAt: lastSeenAt?.toISOString() ?? null,
    }));
    return { items, next: page.next, complete: page.complete };
  }

  @Get(':computer/status')
  @Allow('devices:read')
  @ApiOkResponse({ standardSchema: Status, description: 'Whether it is locked or wiped, as its manager shows it now.' })
  async status(
    @Param('id', { schema: ToolId }) id: string,
    @Param('computer', { schema: z.string().min(1).max(200) }) computer: string,
  ): Promise<z.infer<typeof Status>> {
    await this.tools.get(this.db.manager, id);
    const seen = await this.calls.ask(id, (session) => methodOf(session, 'readDeviceStatus')(computer));
    const { isOnline, state, pending, orders } = seen;
    return {
      isOnline,
      lastSeenAt: seen.lastSeenAt?.toISOString() ?? null,
      state,
      pending,
      orders: { lock: readiness(orders.lock), unlock: readiness(orders.unlock), wipe: readiness(orders.wipe) },
      requests: seen.requests.map(({ what, at, by }) => ({ what, at: at?.toISOString() ?? null, by })),
    };
  }

  @Get(':computer/recovery-keys')
  @Allow('devices:read-recovery-keys')
  @ApiOkResponse({ standardSchema: RecoveryKeys, description: 'Who looked is in the audit log.' })
  async recoveryKeys(
    @Param('id', { schema: ToolId }) id: string,
    @Param('computer', { schema: z.string().min(1).max(200) }) computer: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof RecoveryKeys>> {
    await this.tools.get(this.db.manager, id);
    const call = {
      toolId: id,
      action: 'computer.recovery-keys-listed',
      subject: { kind: 'tool', id },
      facts: { computer },
    };
    const kept = await this.calls.lookInto(actor, call, (session) => methodOf(session, 'listRecoveryKeys')(computer));
    const items = kept.map(({ externalId, keyId, volumeId, storedAt }) => {
      return { id: externalId, keyId, volumeId, storedAt: storedAt?.toISOString() ?? null };
    });
    return { items };
  }
}

function readiness(order: OrderReadiness): z.infer<typeof Readiness> {
  return { takes: order.takes, because: 'because' in order ? order.because : null };
}
