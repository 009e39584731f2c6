import { z } from 'zod';
import { ApprovalDetails, approvalDetails } from '../approvals/approvals-views.js';
import { AssignmentView, assignmentView, RoleWish } from '../platform/roles/roles-views.js';
import type { RoleEdit } from './role-edits.service.js';

const reason = z
  .string()
  .trim()
  .min(3)
  .max(2_000)
  .describe('Why: the audit log has it, and whoever approves reads it.');

export const AssignRole = RoleWish.extend({ reason });
export const EndRole = z.strictObject({ reason });

export const RoleEditView = z.object({
  assignment: AssignmentView.nullable().describe('What stands or ended; null while another person has to approve it.'),
  approval: ApprovalDetails.nullable().describe('What another person has to approve; null when it is done.'),
});

export function roleEditView({ assignment, approval }: RoleEdit): z.infer<typeof RoleEditView> {
  return {
    assignment: assignment ? assignmentView(assignment) : null,
    approval: approval ? approvalDetails(approval) : null,
  };
}
