import type { INestApplication } from '@nestjs/common';
import supertest from 'supertest';
import { DataSource } from 'typeorm';
import { newId } from '../../src/platform/ids/new-id.js';
import type { Narrowing } from '../../src/platform/roles/reach.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { SCOPES, type Actor } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { aTokenOwner } from './token-owners.js';

/** An admin at the terminal, who may do everything. */
export const AN_ADMIN: Actor = { kind: 'admin', id: 'terminal:ada', name: 'ada', scopes: SCOPES };

export interface RoleHolder {
  /** An actor's id. */
  principal: string;
  assignmentId: string;
  /** The token itself. */
  token: string;
  agent: ReturnType<typeof supertest.agent>;
}

/** Somebody who may do what this role lets them do, and nothing else: a token without scopes of its own. */
export async function aRoleHolder(
  app: INestApplication,
  role: Role,
  within: Partial<Narrowing> = {},
): Promise<RoleHolder> {
  return app.get(DataSource).transaction(async (tx) => {
    const wish = { name: `${role} ${newId()}`, scopes: [], ...(await aTokenOwner(tx)) };
    const { id, token } = await app.get(ApiTokens).create(tx, AN_ADMIN, wish);
    const narrowing = { department: null, location: null, toolId: null, ...within };
    const assignment = await app.get(RoleAssignments).assign(tx, AN_ADMIN, { principal: id, role, ...narrowing });
    const agent = supertest.agent(app.getHttpServer()).set('Authorization', `Bearer ${token}`);
    return { principal: id, assignmentId: assignment.id, token, agent };
  });
}
