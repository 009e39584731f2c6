import { z } from 'zod';
import type { KnownModel } from './device-models.service.js';

const TEXT = z.string().trim().min(1).max(200);
/** Fifty years. */
const MONTHS = z.int().min(1).max(600);

const Minimum = z.strictObject({ siteId: z.uuid(), minimum: z.int().min(1).max(10_000) });

const Minimums = z
  .array(Minimum)
  .max(1_000)
  .refine((list) => new Set(list.map(({ siteId }) => siteId)).size === list.length, { error: 'name each site once' })
  .describe('How many spares of it each site should have; the whole list.');

export const DeviceModelView = z.object({
  id: z.uuid(),
  name: z.string(),
  manufacturer: z.string(),
  replacementLeadDays: z.int().nullable(),
  lifetimeMonths: z.int().nullable().describe('For how long one is used, from its purchase.'),
  warrantyMonths: z.int().nullable().describe('For how long its maker mends one, from its purchase.'),
  standard: z.boolean().describe('False: one is given out as an exception only.'),
  minimums: z.array(z.object({ siteId: z.uuid(), minimum: z.int() })),
  version: z.int(),
});

export const CreateDeviceModel = z.strictObject({
  name: TEXT,
  manufacturer: TEXT,
  replacementLeadDays: z.int().min(0).max(1000).nullable().default(null),
  lifetimeMonths: MONTHS.nullable().default(null),
  warrantyMonths: MONTHS.nullable().default(null),
  standard: z.boolean().default(true),
  minimums: Minimums.default([]),
});

export const ChangeDeviceModel = z.strictObject({
  name: TEXT.optional(),
  manufacturer: TEXT.optional(),
  replacementLeadDays: z.int().min(0).max(1000).nullable().optional(),
  lifetimeMonths: MONTHS.nullable().optional(),
  warrantyMonths: MONTHS.nullable().optional(),
  standard: z.boolean().optional(),
  minimums: Minimums.optional(),
});

export function deviceModelView(model: KnownModel): z.infer<typeof DeviceModelView> {
  const { id, name, manufacturer, replacementLeadDays, lifetimeMonths, warrantyMonths, standard, version } = model;
  const { minimums } = model;
  return {
    id,
    name,
    manufacturer,
    replacementLeadDays,
    lifetimeMonths,
    warrantyMonths,
    standard,
    minimums,
    version,
  };
}
