import { z } from 'zod';
import { Instant } from '../platform/http/instant.js';
import { DISK_ENCRYPTION_VALUES } from './device-observation.entity.js';
import { ENCRYPTION_STATES, PROTECTORS, VOLUME_ROLES } from './encryption/encryption-states.js';
import type { DiskReport } from './encryption/judge-report.js';
import { PLATFORMS } from './encryption/known-lies.js';
import type { NewObservation } from './observations.service.js';

const TEXT = z.string().trim().min(1).max(200);
const ANYTHING = z.record(z.string(), z.unknown());

const Volume = z.strictObject({
  volume: TEXT.describe('As the system names it: `C:`, `/`.'),
  role: z.enum(VOLUME_ROLES).default('internal').describe('Only system and internal ones count.'),
  device: TEXT.optional().describe('The block device below it: `/dev/mapper/vg-root`.'),
  state: z.enum(ENCRYPTION_STATES),
  why: TEXT.optional().describe('Why its state is unknown.'),
  method: TEXT.optional().describe('As in `XTS_AES_128` or `LUKS2-aes-xts-plain64`.'),
  percentage: z.int().min(0).max(100).optional().describe('How much of it is encrypted.'),
  protectors: z.array(z.enum(PROTECTORS)).max(20).optional().describe('What opens it.'),
  raw: ANYTHING.optional().describe('What the agent said, as it said it.'),
});

const Reporter = z.strictObject({
  name: TEXT.describe('As in `osquery`. Versions that are known to lie aren’t believed.'),
  version: TEXT.optional(),
  platform: z.enum(PLATFORMS).optional(),
});

const seen = {
  source: TEXT.describe('Who or what saw it; not `osquery` or a device manager’s key, which tell by themselves.'),
  observedAt: Instant,
  details: ANYTHING.optional(),
};

const DiskEncryption = z
  .strictObject({
    kind: z.literal('disk_encryption'),
    value: z.enum(DISK_ENCRYPTION_VALUES).optional().describe('Of the disk as a whole; `encrypting` is `converting`.'),
    volumes: z
      .array(Volume)
      .max(64)
      .optional()
      .describe('Instead of `value`: all volumes of the device at once. The weakest one tells how the device is.'),
    agent: Reporter.optional(),
    ...seen,
  })
  .refine(({ value, volumes }) => (value === undefined) !== (volumes === undefined), {
    path: ['value'],
    error: 'Say either `value`, for the disk as a whole, or `volumes`.',
  });

export const AddObservation = z.discriminatedUnion('kind', [
  DiskEncryption,
  z.strictObject({ kind: z.enum(['image_version', 'os_version', 'last_online']), value: TEXT, ...seen }),
]);

export function newObservation(body: z.infer<typeof AddObservation>): NewObservation {
  const { source, details } = body;
  const common = { source, observedAt: new Date(body.observedAt), ...(details && { details }) };
  if (body.kind !== 'disk_encryption') return { ...common, kind: body.kind, value: body.value };
  return { ...common, kind: 'disk_encryption', report: diskReport(body) };
}

function diskReport({ value = 'unknown', volumes, agent }: z.infer<typeof DiskEncryption>): DiskReport {
  const state = value === 'encrypting' ? 'converting' : value;
  return {
    volumes: volumes ?? [{ volume: 'disk', role: 'system', state }],
    ...(agent && { agent }),
  };
}
