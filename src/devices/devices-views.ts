import { z } from 'zod';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { DeviceModel } from './device-model.entity.js';
import { OBSERVATION_KINDS } from './device-observation.entity.js';
import type { DeviceObservation } from './device-observation.entity.js';
import { DEVICE_STATES } from './device-states.js';
import type { Device } from './device.entity.js';
import type { AgedObservation } from './observations.service.js';

const TEXT = z.string().trim().min(1).max(200);

export const DeviceView = z.object({
  id: z.uuid(),
  assetTag: z.string(),
  serial: z.string().optional().describe('Left out for who doesn’t hold `devices:read-serials`.'),
  modelId: z.uuid(),
  imageVersionId: z.uuid().nullable(),
  holderId: z.uuid().nullable().describe('Who has it; of a lost one, who had it last.'),
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
  observations: z.array(AgedObservationView).describe('The newest of each kind.'),
});

export const ObservationView = AgedObservationView.omit({ ageSeconds: true }).extend({ recordedAt: z.iso.datetime() });

export const DeviceModelView = z.object({
  id: z.uuid(),
  name: z.string(),
  manufacturer: z.string(),
  replacementLeadDays: z.int().nullable(),
});

export const DevicesQueryFilters = {
  state: z.enum(DEVICE_STATES).optional(),
  holderId: z.uuid().optional(),
  modelId: z.uuid().optional(),
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
});

export const ChangeDevice = z.strictObject({
  assetTag: TEXT.optional(),
  imageVersionId: z.uuid().nullable().optional(),
  state: z
    .enum(['in_stock', 'in_repair', 'retired'])
    .optional()
    .describe('Giving out, returning and reporting a loss have routes of their own.'),
});

export const AssignDevice = z.strictObject({ personId: z.uuid() });

export const CreateDeviceModel = z.strictObject({
  name: TEXT,
  manufacturer: TEXT,
  replacementLeadDays: z.int().min(0).max(1000).nullable().default(null),
});

export function deviceView(device: Device, actor: Actor): z.infer<typeof DeviceView> {
  const { id, assetTag, serial, modelId, imageVersionId, holderId, state, version } = device;
  const stateChangedAt = device.stateChangedAt.toISOString();
  const createdAt = device.createdAt.toISOString();
  const shown = seesField(actor, 'device.serial') ? { serial } : {};
  return { id, assetTag, ...shown, modelId, imageVersionId, holderId, state, stateChangedAt, version, createdAt };
}

export function agedObservationView(observation: AgedObservation): z.infer<typeof AgedObservationView> {
  return { ...observation, observedAt: observation.observedAt.toISOString() };
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

export function deviceModelView({
  id,
  name,
  manufacturer,
  replacementLeadDays,
}: DeviceModel): z.infer<typeof DeviceModelView> {
  return { id, name, manufacturer, replacementLeadDays };
}
