import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { AssignRole, EndRole, RoleEditView, roleEditView } from './role-edits-views.js';
import { RoleEdits } from './role-edits.service.js';

@ApiTags('roles')
@Controller('v1/role-assignments')
export class RoleEditsController {
  constructor(private readonly edits: RoleEdits) {}

  /** The same again changes nothing. Nobody gives a role that may do what they may not. */
  @Post()
  @HttpCode(200)
  @Allow('roles:write')
  @FreshSignIn()
  @ApiOkResponse({ standardSchema: RoleEditView, description: 'Done; or, where there is another owner, asked for.' })
  async assign(
    @Body({ schema: AssignRole }) { reason, ...wish }: z.infer<typeof AssignRole>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof RoleEditView>> {
    return roleEditView(await this.edits.assign(wish, reason, actor));
  }

  /** It allows nothing from the next request on. The last owner stays. */
  @Post(':id/end')
  @HttpCode(200)
  @Allow('roles:write')
  @FreshSignIn()
  @ApiOkResponse({ standardSchema: RoleEditView, description: 'Ended; or, where there is another owner, asked for.' })
  async end(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: EndRole }) { reason }: z.infer<typeof EndRole>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof RoleEditView>> {
    return roleEditView(await this.edits.end(id, reason, actor));
  }
}
