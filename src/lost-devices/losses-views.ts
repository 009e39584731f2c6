import { z } from 'zod';
import type { FollowedCommand } from './containment.service.js';
import { COMMAND_STATES } from './command-states.js';
import { COMMAND_KINDS } from './device-command.entity.js';
import type { LossTask } from './loss-task.entity.js';
import { ASSESSMENTS, AWAKE, type Loss } from './loss.entity.js';
import type { Proposal } from './runbook/propose-containment.js';
import { CONTAINMENTS, TASK_ENDINGS } from './runbook/runbook-schema.js';
import type { Worksheet } from './write-worksheet.js';

const Instant = z.iso.datetime();

const ProposalView = z.object({
  propose: z.enum(CONTAINMENTS),
  because: z.string(),
  facts: z.array(z.string()).describe('What of the machine made it fit.'),
  row: z
    .int()
    .nullable()
    .describe('Of the runbook’s table, from 1; null: none fits, and what stands under otherwise holds.'),
});

const TaskView = z.object({
  task: z.string(),
  title: z.string(),
  owner: z.string(),
  ends: z.enum(TASK_ENDINGS).nullable().describe('What ends it; null: somebody’s word.'),
  dueAt: Instant,
  doneAt: Instant.nullable(),
  doneBy: z.string().nullable(),
  note: z.string().nullable(),
});

const CommandView = z.object({
  id: z.uuid(),
  kind: z.enum(COMMAND_KINDS),
  state: z.enum(COMMAND_STATES),
  orderedBy: z.string(),
  orderedAt: Instant,
  approvalId: z.uuid().nullable(),
  events: z.array(z.object({ state: z.enum(COMMAND_STATES), note: z.string(), seenBy: z.string(), seenAt: Instant })),
});

const ReachableView = z.object({
  accountId: z.uuid().optional(),
  tool: z.string(),
  username: z.string(),
  observed: z.string(),
  observedAt: z.string().nullable(),
  liveSessions: z.int().nullable().describe('As last seen before the report; null: the tool can’t show them.'),
  credentials: z.array(z.object({ kind: z.string(), ofThisDevice: z.boolean() })),
  cut: z.string().describe('When the tool showed it cut, or who says so, and what may have lived on.'),
});

const WorksheetView = z.object({
  notifyBy: Instant.describe('72 hours after somebody became aware.'),
  encryption: z.object({ shown: z.enum(['yes', 'no', 'unknown']), because: z.string() }),
  reachable: z.array(ReachableView),
  unknowns: z.array(z.string()),
});

export const LossView = z.object({
  caseId: z.uuid(),
  deviceId: z.uuid(),
  awareAt: Instant,
  awake: z.enum(AWAKE),
  legalHold: z.boolean(),
  policeReference: z.string().nullable(),
  insuranceReference: z.string().nullable(),
  watchUntil: Instant,
  lastSignAt: Instant.nullable().describe('The newest sign of it after the report.'),
  tasks: z.array(TaskView),
  proposal: ProposalView.nullable().describe('What the runbook says now; null: this loss follows none.'),
  decision: z
    .object({
      containment: z.enum(CONTAINMENTS),
      reason: z.string(),
      proposed: z.string().nullable(),
      decidedBy: z.string(),
      decidedAt: Instant,
    })
    .nullable(),
  commands: z.array(CommandView),
  worksheet: WorksheetView.describe('As it is now, or as it was when the assessment was decided.'),
  assessment: z
    .object({ decision: z.enum(ASSESSMENTS), reason: z.string(), decidedBy: z.string(), decidedAt: Instant })
    .nullable(),
});

export interface LossInFull {
  loss: Loss;
  tasks: readonly LossTask[];
  proposal: Proposal | null;
  commands: readonly FollowedCommand[];
  worksheet: Worksheet;
}

export function lossView({ loss, tasks, proposal, commands, worksheet }: LossInFull): z.infer<typeof LossView> {
  return {
    caseId: loss.caseId,
    deviceId: loss.deviceId,
    awareAt: loss.awareAt.toISOString(),
    awake: loss.awake,
    legalHold: loss.legalHold,
    policeReference: loss.policeReference,
    insuranceReference: loss.insuranceReference,
    watchUntil: loss.watchUntil.toISOString(),
    lastSignAt: iso(loss.lastSignAt),
    tasks: tasks.map(({ task, title, owner, ends, dueAt, doneAt, doneBy, note }) => {
      return { task, title, owner, ends, dueAt: dueAt.toISOString(), doneAt: iso(doneAt), doneBy, note };
    }),
    proposal,
    decision: decisionView(loss),
    commands: commands.map(commandView),
    worksheet,
    assessment: assessmentView(loss),
  };
}

function decisionView(loss: Loss): z.infer<typeof LossView>['decision'] {
  const { containment, containmentReason: reason, containedBy: decidedBy, containedAt, proposal } = loss;
  if (containment === null || reason === null || decidedBy === null || containedAt === null) return null;
  const proposed = z.enum(CONTAINMENTS).nullable().catch(null).parse(proposal?.['propose']);
  return { containment, reason, proposed, decidedBy, decidedAt: containedAt.toISOString() };
}

function assessmentView(loss: Loss): z.infer<typeof LossView>['assessment'] {
  const { assessment: decision, assessmentReason: reason, assessedBy: decidedBy, assessedAt } = loss;
  if (decision === null || reason === null || decidedBy === null || assessedAt === null) return null;
  return { decision, reason, decidedBy, decidedAt: assessedAt.toISOString() };
}

function commandView({ command, events }: FollowedCommand): z.infer<typeof CommandView> {
  const { id, kind, state, orderedBy, orderedAt, approvalId } = command;
  return {
    id,
    kind,
    state,
    orderedBy,
    orderedAt: orderedAt.toISOString(),
    approvalId,
    events: events.map((event) => {
      return { state: event.state, note: event.note, seenBy: event.seenBy, seenAt: event.seenAt.toISOString() };
    }),
  };
}

function iso(instant: Date | null): string | null {
  return instant?.toISOString() ?? null;
}
