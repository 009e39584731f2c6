import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../http/page.js';
import { Allow } from '../sign-in/who-may-call.js';
import { RoleAssignments } from './role-assignments.service.js';
import { AssignmentView, assignmentView, RoleView } from './roles-views.js';
import { ROLE_DEFINITIONS, ROLES } from './roles.js';

const AssignmentsQuery = PageQuery.extend({
  principal: z.string().max(200).optional(),
  ended: z.stringbool().optional().describe('True: those that ended as well.'),
});

@ApiTags('roles')
@Controller('v1')
export class RolesController {
  constructor(private readonly assignments: RoleAssignments) {}

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
}
