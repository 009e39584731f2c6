import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Idempotent } from '../../platform/http/idempotent.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { StepView, stepView } from '../cases-views.js';
import { TaskLinks } from './task-links.service.js';

const AssignStep = z.strictObject({
  owner: z.string().trim().min(2).max(320).describe('An address, or the name of a team.'),
});
const MakeTaskLink = z.strictObject({
  for: z.email().max(320).describe('Whom you will send the link to; it stands in the record as who did it.'),
});
const TaskLinkMade = z.object({ url: z.string(), expiresAt: z.iso.datetime() });

@ApiTags('steps')
@Controller('v1/steps/:id')
export class TaskLinksController {
  constructor(private readonly links: TaskLinks) {}

  @Post('assign')
  @HttpCode(200)
  @Allow('steps:decide', 'within-reach')
  @ApiOperation({ summary: 'Give a step that needs a person to somebody else; their time begins anew' })
  @ApiOkResponse({ standardSchema: StepView })
  async assign(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: AssignStep }) { owner }: z.infer<typeof AssignStep>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof StepView>> {
    return stepView(await this.links.assign(id, owner, actor));
  }

  @Post('task-link')
  @Allow('steps:decide', 'within-reach')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'A link by which somebody does this step by hand without a sign-in; the one before ends' })
  @ApiCreatedResponse({ standardSchema: TaskLinkMade })
  async link(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: MakeTaskLink }) body: z.infer<typeof MakeTaskLink>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof TaskLinkMade>> {
    const { url, expiresAt } = await this.links.create(id, body.for, actor);
    return { url, expiresAt: expiresAt.toISOString() };
  }
}
