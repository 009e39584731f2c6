import { z } from 'zod';
import { SCOPES } from '../sign-in/actor.js';
import type { RoleAssignment } from './role-assignment.entity.js';
import { ROLES } from './roles.js';

const Place = z.string().trim().min(1).max(200);

export const RoleView = z.object({ role: z.enum(ROLES), purpose: z.string(), scopes: z.array(z.enum(SCOPES)) });

/** A role that somebody is to be given. */
export const RoleWish = z.strictObject({
  principal: z.string().trim().min(1).max(200).describe('`user:<id>` of somebody who signs in, or an API token’s id.'),
  role: z.enum(ROLES),
  department: Place.nullable().default(null).describe('Only people employed in it, and what is theirs.'),
  location: Place.nullable().default(null).describe('Only people employed there, and what is theirs.'),
  toolId: z
    .uuid()
    .nullable()
    .default(null)
    .describe('Only accounts at this tool. Of several limits all count together.'),
});

export const AssignmentView = z.object({
  id: z.uuid(),
  principal: z.string(),
  role: z.enum(ROLES),
  department: z.string().nullable(),
  location: z.string().nullable(),
  toolId: z.uuid().nullable(),
  assignedBy: z.string(),
  assignedAt: z.iso.datetime(),
  endedBy: z.string().nullable(),
  endedAt: z.iso.datetime().nullable(),
});

export function assignmentView(assignment: RoleAssignment): z.infer<typeof AssignmentView> {
  const { id, principal, role, department, location, toolId, assignedBy, assignedAt, endedBy, endedAt } = assignment;
  return {
    id,
    principal,
    role,
    department,
    location,
    toolId,
    assignedBy,
    assignedAt: assignedAt.toISOString(),
    endedBy,
    endedAt: endedAt?.toISOString() ?? null,
  };
}
