import { z } from 'zod';
import { APPROVAL_ACTS, APPROVAL_STATES, type Approval } from './approval.entity.js';

export const ApprovalView = z.object({
  id: z.uuid(),
  act: z.enum(APPROVAL_ACTS),
  targetId: z
    .uuid()
    .describe('What it is done to: for a release, the brake; for a role, its assignment; else an id of its own.'),
  summary: z.string(),
  state: z.enum(APPROVAL_STATES),
  reason: z.string(),
  requestedBy: z.string(),
  requestedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().describe('30 minutes after the request; then it counts no more.'),
  planHash: z.string().describe('SHA-256 of the plan’s canonical JSON, in hex: what is approved is exactly this.'),
  decidedBy: z.string().nullable(),
  decidedAt: z.iso.datetime().nullable(),
  note: z.string().nullable(),
});

export const ListedApproval = ApprovalView.extend({
  mayDecide: z
    .boolean()
    .describe('Whether you could be the second person now: you didn’t request it, and it isn’t about you.'),
});

export const ApprovalDetails = ApprovalView.extend({
  plan: z.record(z.string(), z.unknown()).describe('Everything that would happen, and to whom.'),
});

export function approvalView(row: Approval): z.infer<typeof ApprovalView> {
  const { id, act, targetId, summary, state, reason, requestedBy, planHash, decidedBy, note } = row;
  return {
    id,
    act,
    targetId,
    summary,
    state,
    reason,
    requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    planHash,
    decidedBy,
    decidedAt: row.decidedAt?.toISOString() ?? null,
    note,
  };
}

export function approvalDetails(row: Approval): z.infer<typeof ApprovalDetails> {
  return { ...approvalView(row), plan: row.plan };
}
