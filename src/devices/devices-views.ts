import { z } from 'zod';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { OBSERVATION_KINDS } from './device-observation.entity.js';
import type { DeviceObservation } from './device-observation.entity.js';
import { CHANGED_STATES, DEVICE_STATES } from './device-states.js';
import { KNOWLEDGE_AGES } from './encryption/encryption-filter.js';
import { ENCRYPTION_STATES } from './encryption/encryption-states.js';
import type { Device } from './device.entity.js';
import type { AgedObservation } from './observations.service.js';

const TEXT = z.string().trim().min(1).max(200);

/** As far as a device's papers reach, and no further than a calendar that everybody reads. */
export const Day = z.iso
  .date()
  .refine((day) => day >= '1970-01-01' && day <= '2199-12-31', { error: 'This has to be a day from 1970 to 2199' });

export const DeviceView = z.object({
  id: z.uuid(),
  assetTag: z.string(),
  serial: z.string().optional().describe('Left out for who doesn’t hold `devices:read-serials`.'),
  modelId: z.uuid(),
  imageVersionId: z.uuid().nullable(),
  siteId: z.uuid().nullable().describe('Where it is, or where whoever has it works.'),
  purchasedOn: z.iso.date().nullable(),
  warrantyUntil: z.iso.date().nullable().describe('The last day on which its maker mends it.'),
  working: z.boolean().describe('False: found faulty.'),
  holderId: z.uuid().nullable().describe('Who has it; of one that was lost, who had it last.'),
  reservedForId: z.uuid().nullable().describe('Whom it is kept for.'),
  state: z.enum(DEVICE_STATES),
  stateChangedAt: z.iso.datetime(),
  version: z.int(),
  createdAt: z.iso.datetime(),
});

export const AgedObservationView = z.object({
  id: z.uuid(),
  kind: z.enum(OBSERVATION_KINDS),
  value: z.string(),
  details: z.record(z.string(), z.unknown()),
  source: z.string(),
  observedAt: z.iso.datetime(),
  ageSeconds: z.int().describe('How old this knowledge is now, by the database’s clock.'),
});

export const DeviceDetails = DeviceView.extend({
  observations: z
    .array(AgedObservationView)
    .describe('The newest of each kind; of disk encryption the newest answer, whoever asked in vain since then.'),
});

export const ObservationView = AgedObservationView.omit({ ageSeconds: true }).extend({ recordedAt: z.iso.datetime() });

export const DevicesQueryFilters = {
  state: z.enum(DEVICE_STATES).optional(),
  holderId: z.uuid().optional(),
  modelId: z.uuid().optional(),
  siteId: z.uuid().optional(),
  pastLifetime: z
    .enum(['true'])
    .optional()
    .describe('Only those in use or on the shelf for longer than their model is meant to be used.'),
  spare: z.enum(['true']).optional().describe('Only what can really be given: see GET /v1/devices/spares.'),
  encryption: z
    .enum(ENCRYPTION_STATES)
    .optional()
    .describe('Only those in use whose disks are so as far as anybody knows: see GET /v1/devices/encryption.'),
  encryptionSeen: z
    .enum(KNOWLEDGE_AGES)
    .optional()
    .describe(
      'Only those in use of which that was seen within a day, a day to a week ago, a week to 30 days ago, longer ago, or `never`.',
    ),
  search: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .describe('Part of the asset tag, or of a serial number that you may see.'),
};

export const CreateDevice = z.strictObject({
  assetTag: TEXT,
  serial: TEXT,
  modelId: z.uuid(),
  imageVersionId: z.uuid().nullable().default(null),
  siteId: z.uuid().nullable().default(null),
  purchasedOn: Day.nullable().default(null),
  warrantyUntil: Day.nullable().default(null).describe('Left out: as long as the model’s warranty, from its purchase.'),
  state: z.enum(['ordered', 'in_stock']).default('in_stock'),
});

export const ChangeDevice = z.strictObject({
  assetTag: TEXT.optional(),
  modelId: z.uuid().optional(),
  imageVersionId: z.uuid().nullable().optional(),
  siteId: z.uuid().nullable().optional(),
  purchasedOn: Day.nullable().optional(),
  warrantyUntil: Day.nullable().optional(),
  working: z.boolean().optional(),
  state: z
    .enum(CHANGED_STATES)
    .optional()
    .describe('Giving out, keeping for somebody, returning and reporting a loss have routes of their own.'),
});

export const ForPerson = z.strictObject({ personId: z.uuid() });

export function deviceView(device: Device, actor: Actor): z.infer<typeof DeviceView> {
  return {
    id: device.id,
    assetTag: device.assetTag,
    ...(seesField(actor, 'device.serial') && { serial: device.serial }),
    modelId: device.modelId,
    imageVersionId: device.imageVersionId,
    siteId: device.siteId,
    purchasedOn: device.purchasedOn,
    warrantyUntil: device.warrantyUntil,
    working: device.working,
    holderId: device.holderId,
    reservedForId: device.reservedForId,
    state: device.state,
    stateChangedAt: device.stateChangedAt.toISOString(),
    version: device.version,
    createdAt: device.createdAt.toISOString(),
  };
}

export function agedObservationView(observation: AgedObservation): z.infer<typeof AgedObservationView> {
  const { id, kind, value, details, source, observedAt, ageSeconds } = observation;
  return { id, kind, value, details, source, observedAt: observedAt.toISOString(), ageSeconds };
}

export function observationView(observation: DeviceObservation): z.infer<typeof ObservationView> {
  const { id, kind, value, details, source, observedAt, recordedAt } = observation;
  return {
    id,
    kind,
    value,
    details,
    source,
    observedAt: observedAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
  };
}
