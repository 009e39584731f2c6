import { z } from 'zod';
import { ReturnView, returnView } from '../devices/returns/returns-views.js';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { Alert } from './alert.entity.js';
import type { Attempt } from './attempt.entity.js';
import type { Case } from './case.entity.js';
import type { CaseInFull } from './cases-reader.service.js';
import { CASE_KINDS, LANES, STEP_ACTS, STEP_STATES } from './step-states.js';
import type { StepEvidence } from './step-evidence.entity.js';
import type { Step } from './step.entity.js';

const Instant = z.iso.datetime();

export const CaseView = z.object({
  id: z.uuid(),
  kind: z.enum(CASE_KINDS),
  state: z.enum(['open', 'closed']),
  lane: z.enum(LANES),
  scope: z.enum(['person', 'device']),
  personId: z.uuid(),
  deviceId: z.uuid().nullable(),
  parentCaseId: z.uuid().nullable(),
  openedBy: z.string(),
  openedAt: Instant,
  closedAt: Instant.nullable(),
  facts: z.record(z.string(), z.unknown()).describe('What was known when the case was opened.'),
});

export const CasesQueryFilters = {
  kind: z.enum(CASE_KINDS).optional(),
  state: z.enum(['open', 'closed']).optional(),
  personId: z.uuid().optional(),
};

const GrantView = z.object({ kind: z.enum(['group', 'role', 'licence']), name: z.string() });

export const StepView = z.object({
  id: z.uuid(),
  caseId: z.uuid(),
  personId: z.uuid(),
  toolId: z.uuid(),
  accountId: z.uuid().nullable(),
  act: z.enum(STEP_ACTS),
  grant: GrantView.nullable().describe('For a grant or a withdrawal: the group, role or licence.'),
  state: z.enum(STEP_STATES),
  lane: z.enum(LANES),
  requestedAt: Instant.describe('When the decision was committed.'),
  sentAt: Instant.nullable().describe('When the first call about it left.'),
  confirmedAt: Instant.nullable().describe(
    'When a read-back showed it, or a person’s word was taken for it: then there is `attestedBy`.',
  ),
  endedAt: Instant.nullable(),
  dueAt: Instant.describe('Next try, for a step that is ready or confirming.'),
  residualUntil: Instant.nullable().describe('Until when the tool may still honour old tokens.'),
  reason: z.string().nullable(),
  owner: z.string().nullable(),
  deadline: Instant.nullable(),
  attestedBy: z
    .string()
    .nullable()
    .describe(
      'Who says that they did it, at a tool that can’t show it; while it needs_human, another person’s confirmation is awaited.',
    ),
  attestedAt: Instant.nullable(),
  attempts: z.int(),
  failures: z.int(),
});

export const EvidenceView = z.object({
  sha256: z.string().describe('Of the file, in hex; its address below the step.'),
  fileName: z.string(),
  bytes: z.int(),
  addedBy: z.string(),
  addedAt: Instant,
});

export const AttemptView = z.object({
  id: z.uuid(),
  number: z.int(),
  kind: z.enum(['act', 'read_back', 'look']),
  intendedAt: Instant,
  finishedAt: Instant.nullable(),
  outcome: z.string().nullable().describe('Null: under way, or lost with its worker.'),
  errorKind: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
  abandonedAt: Instant.nullable(),
});

export const CaseDetails = CaseView.extend({
  steps: z.array(
    StepView.extend({
      toolName: z.string(),
      needs: z.array(z.uuid()),
      mayConfirm: z
        .boolean()
        .describe('Whether another person’s confirmation is awaited, and you could be that person.'),
      attemptsMade: z.array(AttemptView),
    }),
  ),
  returns: z.array(ReturnView).describe('Of a leave: each device that is to come back. It holds up no step.'),
});

export const AlertView = z.object({
  id: z.uuid(),
  kind: z.string(),
  severity: z.string(),
  owner: z.string(),
  message: z.string(),
  stepId: z.uuid().nullable(),
  toolId: z.uuid().nullable(),
  raisedAt: Instant,
  resolvedAt: Instant.nullable(),
});

export function caseView(row: Case, actor: Actor): z.infer<typeof CaseView> {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    lane: row.lane,
    scope: row.scope,
    personId: row.personId,
    deviceId: row.deviceId,
    parentCaseId: row.parentCaseId,
    openedBy: row.openedBy,
    openedAt: row.openedAt.toISOString(),
    closedAt: iso(row.closedAt),
    facts: seesField(actor, 'device.serial') ? row.facts : withoutSerial(row.facts),
  };
}

/** A lost device's, as it was known at the report. */
function withoutSerial({ serial: _hidden, ...facts }: Record<string, unknown>): Record<string, unknown> {
  return facts;
}

export function stepView(row: Step): z.infer<typeof StepView> {
  return {
    id: row.id,
    caseId: row.caseId,
    personId: row.personId,
    toolId: row.toolId,
    accountId: row.accountId,
    act: row.act,
    grant: GrantView.nullable()
      .catch(null)
      .parse(row.input['grant'] ?? null),
    state: row.state,
    lane: row.lane,
    requestedAt: row.requestedAt.toISOString(),
    sentAt: iso(row.sentAt),
    confirmedAt: iso(row.confirmedAt),
    endedAt: iso(row.endedAt),
    dueAt: row.dueAt.toISOString(),
    residualUntil: iso(row.residualUntil),
    reason: row.reason,
    owner: row.owner,
    deadline: iso(row.deadline),
    attestedBy: row.attestedBy,
    attestedAt: iso(row.attestedAt),
    attempts: row.attempts,
    failures: row.failures,
  };
}

export function caseDetails({ case: row, steps, returns }: CaseInFull, actor: Actor): z.infer<typeof CaseDetails> {
  return {
    ...caseView(row, actor),
    steps: steps.map((step) => ({
      ...stepView(step),
      toolName: step.toolName,
      needs: step.needs,
      mayConfirm: step.mayConfirm,
      attemptsMade: step.attemptsMade.map(attemptView),
    })),
    returns: returns.map(returnView),
  };
}

export function attemptView(row: Attempt): z.infer<typeof AttemptView> {
  return {
    id: row.id,
    number: row.number,
    kind: row.kind,
    intendedAt: row.intendedAt.toISOString(),
    finishedAt: iso(row.finishedAt),
    outcome: row.outcome,
    errorKind: row.errorKind,
    detail: row.detail,
    abandonedAt: iso(row.abandonedAt),
  };
}

export function evidenceView({
  sha256,
  fileName,
  bytes,
  addedBy,
  addedAt,
}: StepEvidence): z.infer<typeof EvidenceView> {
  return { sha256, fileName, bytes, addedBy, addedAt: addedAt.toISOString() };
}

export function alertView(row: Alert): z.infer<typeof AlertView> {
  const { id, kind, severity, owner, message, stepId, toolId, raisedAt, resolvedAt } = row;
  const times = { raisedAt: raisedAt.toISOString(), resolvedAt: iso(resolvedAt) };
  return { id, kind, severity, owner, message, stepId, toolId, ...times };
}

function iso(instant: Date | null): string | null {
  return instant?.toISOString() ?? null;
}
