import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../http/page.js';
import type { Actor } from '../sign-in/actor.js';
import { Allow, CurrentActor } from '../sign-in/who-may-call.js';
import { RoleAssignments } from './role-assignments.service.js';
import { AssignmentView, assignmentView, AssignRole, RoleView } from './roles-views.js';
import { ROLE_DEFINITIONS, ROLES } from './roles.js';

const AssignmentsQuery = PageQuery.extend({
  principal: z.string().max(200).optional(),
  ended: z.stringbool().optional().describe('True: those that ended as well.'),
});

@ApiTags('roles')
@Controller('v1')
export class RolesController {
  constructor(
    private readonly db: DataSource,
    private readonly assignments: RoleAssignments,
  ) {}

  @Get('roles')
  @Allow('roles:read')
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(RoleView) }), description: 'What each role may do.' })
  roles(): { items: z.infer<typeof RoleView>[] } {
    return {
      items: ROLES.map((role) => ({
        role,
        purpose: ROLE_DEFINITIONS[role].purpose,
        scopes: [...ROLE_DEFINITIONS[role].scopes],
      })),
    };
  }

  @Get('role-assignments')
  @Allow('roles:read')
  @ApiOkResponse({ standardSchema: pageOf(AssignmentView), description: 'Who holds which role, the oldest first.' })
  async list(
    @Query({ schema: AssignmentsQuery }) query: z.infer<typeof AssignmentsQuery>,
  ): Promise<Page<z.infer<typeof AssignmentView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.assignments.list(filter, { after: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), assignmentView);
  }

  /** The same again changes nothing. Nobody gives a role that may do what they may not. */
  @Post('role-assignments')
  @Allow('roles:write')
  @ApiCreatedResponse({ standardSchema: AssignmentView })
  async assign(
    @Body({ schema: AssignRole }) body: z.infer<typeof AssignRole>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof AssignmentView>> {
    return assignmentView(await inTransaction(this.db, (tx) => this.assignments.assign(tx, actor, body)));
  }

  @Delete('role-assignments/:id')
  @HttpCode(204)
  @Allow('roles:write')
  @ApiNoContentResponse({ description: 'Ended: it allows nothing from the next request on. The last owner stays.' })
  async end(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await inTransaction(this.db, (tx) => this.assignments.end(tx, actor, id));
  }
}
