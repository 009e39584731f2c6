import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { Lockdowns } from './lockdowns.service.js';

const ToolId = z.uuid();
const LockdownView = z.object({
  allowed: z.array(z.string()).nullable().describe('User names that may be in; null: there is no lockdown.'),
});
const Reason = z.string().trim().min(1).max(500);
const LockDown = z.object({
  allowed: z.array(z.string().min(1).max(64)).max(50).describe('User names at this tool; none: everybody is put out.'),
  reason: Reason,
});

@ApiTags('tools')
@Controller('v1/tools/:id/lockdown')
export class LockdownsController {
  constructor(private readonly lockdowns: Lockdowns) {}

  @Get()
  @Allow('tools:read', 'within-reach')
  @ApiOkResponse({ standardSchema: LockdownView, description: 'Asked of the tool now.' })
  async look(
    @Param('id', { schema: ToolId }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LockdownView>> {
    return view(await this.lockdowns.look(actor, id));
  }

  @Put()
  @HttpCode(200)
  @Allow('tools:lock-down', 'within-reach')
  @NeverLimited()
  @ApiOkResponse({ standardSchema: LockdownView, description: 'Everybody else is out, and the tool shows it.' })
  async lockDown(
    @Param('id', { schema: ToolId }) id: string,
    @Body({ schema: LockDown }) { allowed, reason }: z.infer<typeof LockDown>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LockdownView>> {
    return view(await this.lockdowns.lockDown(actor, id, allowed, reason));
  }

  @Delete()
  @HttpCode(204)
  @Allow('tools:lock-down', 'within-reach')
  @FreshSignIn()
  @ApiNoContentResponse({ description: 'Lifted. What was suspended or revoked meanwhile stays so.' })
  async lift(@Param('id', { schema: ToolId }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.lockdowns.lift(actor, id, 'lifted through the API');
  }
}

function view(lockdown: Awaited<ReturnType<Lockdowns['look']>>): z.infer<typeof LockdownView> {
  return { allowed: lockdown ? [...lockdown.allowed] : null };
}
