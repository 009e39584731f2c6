import { z } from 'zod';
import { COMMAND_STATES } from './command-states.js';
import type { Giver } from './commands/choose-giver.js';
import type { FollowedCommand } from './commands/device-commands.service.js';
import { COMMAND_KINDS, GIVEN_BY, VERIFIED_BY, type CommandKind } from './device-command.entity.js';
import type { LossTask } from './loss-task.entity.js';
import { ASSESSMENTS, AWAKE, type Loss } from './loss.entity.js';
import type { Proposal } from './runbook/propose-containment.js';
import { CONTAINMENTS, TASK_ENDINGS } from './runbook/runbook-schema.js';
import type { Decision } from './why-not-decided.js';
import type { Worksheet } from './write-worksheet.js';

const Instant = z.iso.datetime();
const WhyNot = z.string().nullable();

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
  givenBy: z.enum(GIVEN_BY).describe('hand: somebody gives it at the device manager, and says here what they saw.'),
  tool: z.string().nullable().describe('The device manager, of an order that the service gives.'),
  verifiedBy: z
    .enum(VERIFIED_BY)
    .nullable()
    .describe(
      'manager: it showed the machine locked, unlocked or wiped. word: somebody says so, and nothing shows it.',
    ),
  problem: z.string().nullable().describe('Why it isn’t further; by hand: why the service doesn’t give it.'),
  needsPerson: z.boolean().describe('The service can’t get on by itself: the problem says what to do.'),
  looksAgainAt: Instant.nullable().describe('When the service looks next; null: it has nothing more to do.'),
  events: z.array(z.object({ state: z.enum(COMMAND_STATES), note: z.string(), seenBy: z.string(), seenAt: Instant })),
});

const GiverView = z.object({
  by: z.enum(GIVEN_BY),
  toolId: z.uuid().nullable(),
  tool: z.string().nullable().describe('The device manager that the service would ask.'),
  computerId: z.string().nullable().describe('The machine’s own id there.'),
  seenAt: Instant.nullable().describe('When the manager was last seen to have it.'),
  only: z.string().nullable().describe('On what that manager can do it; null: on everything that it has.'),
  because: z.string().nullable().describe('Why it would be given by hand.'),
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
  whyNot: z
    .object({ lock: WhyNot, wipe: WhyNot, leave: WhyNot, unlock: WhyNot })
    .describe('What stands against each decision now; null: nothing does.'),
  givers: z
    .object({ lock: GiverView, unlock: GiverView, wipe: GiverView })
    .describe('Who would give an order that is decided now.'),
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
  whyNot: Readonly<Record<Decision, string | null>>;
  givers: Readonly<Record<CommandKind, Giver>>;
  commands: readonly FollowedCommand[];
  worksheet: Worksheet;
}

export function lossView(inFull: LossInFull): z.infer<typeof LossView> {
  const { loss, tasks, proposal, whyNot, givers, commands, worksheet } = inFull;
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
    whyNot,
    givers: { lock: giverView(givers.lock), unlock: giverView(givers.unlock), wipe: giverView(givers.wipe) },
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

function giverView(giver: Giver): z.infer<typeof GiverView> {
  if (giver.by === 'hand') {
    return { ...giver, toolId: null, tool: null, computerId: null, seenAt: null, only: null };
  }
  return { ...giver, seenAt: giver.seenAt.toISOString(), because: null };
}

function commandView({ command, tool, events }: FollowedCommand): z.infer<typeof CommandView> {
  const { id, kind, state, orderedBy, orderedAt, approvalId, givenBy, verifiedBy, problem, needsPerson, dueAt } =
    command;
  return {
    id,
    kind,
    state,
    orderedBy,
    orderedAt: orderedAt.toISOString(),
    approvalId,
    givenBy,
    tool,
    verifiedBy,
    problem,
    needsPerson,
    looksAgainAt: iso(dueAt),
    events: events.map((event) => {
      return { state: event.state, note: event.note, seenBy: event.seenBy, seenAt: event.seenAt.toISOString() };
    }),
  };
}

function iso(instant: Date | null): string | null {
  return instant?.toISOString() ?? null;
}
