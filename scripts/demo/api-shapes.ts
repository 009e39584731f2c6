import { z } from 'zod';
import { LANES, STEP_ACTS, STEP_STATES } from '../../src/cases/step-states.js';

/**
 * What the demo reads from the REST API: a client of its own, which looks at the answers from outside and takes from
 * them what it needs.
 */
const Instant = z.iso.datetime();

const AttemptSeen = z.object({
  number: z.int(),
  kind: z.enum(['act', 'read_back', 'look']),
  intendedAt: Instant,
  finishedAt: Instant.nullable(),
  outcome: z.string().nullable(),
  errorKind: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});

const StepSeen = z.object({
  id: z.uuid(),
  toolId: z.uuid(),
  toolName: z.string(),
  accountId: z.uuid().nullable(),
  act: z.enum(STEP_ACTS),
  state: z.enum(STEP_STATES),
  lane: z.enum(LANES),
  requestedAt: Instant,
  sentAt: Instant.nullable(),
  confirmedAt: Instant.nullable(),
  residualUntil: Instant.nullable(),
  reason: z.string().nullable(),
  owner: z.string().nullable(),
  deadline: Instant.nullable(),
  attemptsMade: z.array(AttemptSeen),
});
export type StepSeen = z.infer<typeof StepSeen>;

export const CaseSummary = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: z.enum(['open', 'closed']),
  lane: z.enum(LANES),
  personId: z.uuid(),
  deviceId: z.uuid().nullable(),
  parentCaseId: z.uuid().nullable(),
  openedBy: z.string(),
  openedAt: Instant,
  closedAt: Instant.nullable(),
  facts: z.record(z.string(), z.unknown()),
});

export const CaseSeen = CaseSummary.extend({ steps: z.array(StepSeen) });
export type CaseSeen = z.infer<typeof CaseSeen>;

export const AccountSeen = z.object({
  id: z.uuid(),
  toolId: z.uuid(),
  username: z.string(),
  externalId: z.string().nullable(),
  desiredState: z.string(),
  observedState: z.string(),
  observedAt: Instant.nullable(),
  observedSource: z.string().nullable(),
});
export type AccountSeen = z.infer<typeof AccountSeen>;

export const PersonSeen = z.object({
  id: z.uuid(),
  corporateEmail: z.string(),
  status: z.string(),
  generation: z.int(),
});

export const DeviceSeen = z.object({
  id: z.uuid(),
  assetTag: z.string(),
  state: z.string(),
  holderId: z.uuid().nullable(),
  imageVersionId: z.uuid().nullable(),
});
export type DeviceSeen = z.infer<typeof DeviceSeen>;

export const DeviceDetailsSeen = DeviceSeen.extend({
  observations: z.array(z.object({ kind: z.string(), value: z.string(), source: z.string(), ageSeconds: z.int() })),
});

export const AlertSeen = z.object({
  id: z.uuid(),
  severity: z.string(),
  owner: z.string(),
  stepId: z.uuid().nullable(),
});

/** What the webhook answers. */
export const Delivery = z.object({
  id: z.uuid(),
  outcome: z.string(),
  reason: z.string().nullable(),
  caseId: z.uuid().nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

export const HrEventSeen = z.object({
  id: z.uuid(),
  eventId: z.string(),
  type: z.string().nullable(),
  eventTime: Instant.nullable(),
  receivedAt: Instant,
  deliveries: z.int(),
  outcome: z.string(),
  reason: z.string().nullable(),
  caseId: z.uuid().nullable(),
});
export type HrEventSeen = z.infer<typeof HrEventSeen>;

export const LossSeen = z.object({
  awareAt: Instant,
  tasks: z.array(z.object({ task: z.string(), owner: z.string(), dueAt: Instant, doneAt: Instant.nullable() })),
  proposal: z.object({ propose: z.string(), because: z.string(), facts: z.array(z.string()) }).nullable(),
  givers: z.object({ lock: z.object({ by: z.string() }), wipe: z.object({ by: z.string() }) }),
  commands: z.array(
    z.object({
      id: z.uuid(),
      kind: z.string(),
      state: z.string(),
      givenBy: z.string(),
      verifiedBy: z.string().nullable(),
      problem: z.string().nullable(),
    }),
  ),
  worksheet: z.object({
    notifyBy: Instant,
    encryption: z.object({ shown: z.string(), because: z.string() }),
    reachable: z.array(z.object({ tool: z.string(), cut: z.string() })),
  }),
  assessment: z.object({ decision: z.string() }).nullable(),
});
export type LossSeen = z.infer<typeof LossSeen>;

export const KeysSeen = z.object({
  items: z.array(z.object({ protects: z.string(), revealedAt: Instant.nullable() })),
  notRevealedSinceRotation: z.boolean(),
});

/** How long it takes from a loss to its replacement. */
export const LeadTimeSeen = z.object({
  lossCaseId: z.uuid(),
  reservedDeviceId: z.uuid().nullable(),
  replacementDeviceId: z.uuid().nullable(),
  leadSeconds: z.number().nullable(),
});
export type LeadTimeSeen = z.infer<typeof LeadTimeSeen>;
