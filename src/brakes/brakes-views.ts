import { z } from 'zod';
import { STEP_ACTS } from '../cases/step-states.js';
import { BRAKE_STATES, type Brake } from './brake.entity.js';
import type { HeldPerson } from './brakes-reader.service.js';
import { LIMIT_KINDS } from './decide-brake.js';

export const BrakeView = z.object({
  id: z.uuid(),
  kind: z.string().describe('leaves, removals, grants, restorations or resets.'),
  source: z
    .string()
    .describe(
      'Who did too much: `hr:<source>`, `user:<id>`, `person:<id>`, `admin:<name>`, `service:<name>` or `schedule`.',
    ),
  state: z.enum(BRAKE_STATES),
  people: z.int().describe('How many it holds at this moment.'),
  allowed: z.int().describe('How many the limit let pass within an hour when it was exceeded.'),
  staff: z.int().describe('Active people at that time.'),
  since: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  endedBy: z.string().nullable(),
  reason: z.string().nullable(),
  approvalId: z.uuid().nullable(),
});

export const BrakeDetails = BrakeView.extend({
  held: z.array(
    z.object({
      caseId: z.uuid(),
      personId: z.uuid(),
      displayName: z.string(),
      corporateEmail: z.string(),
      lossCaseId: z.uuid().nullable().describe('Of a restoration: the loss whose hold it lifts.'),
      replacementDeviceId: z.uuid().nullable().describe('Of a restoration: the device that is given out with it.'),
      steps: z.array(
        z.object({
          act: z.enum(STEP_ACTS),
          toolId: z.uuid(),
          toolName: z.string(),
          accountId: z.uuid().nullable(),
          username: z.string().nullable(),
          grant: z.object({ kind: z.string(), name: z.string() }).nullable(),
        }),
      ),
    }),
  ),
});

export const LimitView = z.object({
  kind: z.enum(LIMIT_KINDS),
  atLeast: z
    .int()
    .describe(
      'So many people within an hour always pass; of `reveals`, so many recovery keys one person reads alone within a day.',
    ),
  sharePercent: z.int().describe('Of the active staff; the larger one of the two counts.'),
  changedBy: z.string().nullable().describe('Null: the default.'),
});

export function brakeView(brake: Brake & { people: number }): z.infer<typeof BrakeView> {
  const { id, kind, source, state, people, allowed, staff, endedBy, reason, approvalId } = brake;
  const times = { since: brake.since.toISOString(), endedAt: brake.endedAt?.toISOString() ?? null };
  return { id, kind, source, state, people, allowed, staff, ...times, endedBy, reason, approvalId };
}

export function brakeDetails({ brake, people }: { brake: Brake; people: HeldPerson[] }): z.infer<typeof BrakeDetails> {
  return { ...brakeView(Object.assign(brake, { people: people.length })), held: people };
}
