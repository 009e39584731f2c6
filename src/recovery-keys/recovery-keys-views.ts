import { z } from 'zod';
import { KEY_FORMATS } from './key-format.js';
import { ROTATION_REASONS } from './recovery-key-rotation.entity.js';
import { PROTECTED_BY } from './recovery-key.entity.js';
import type { KeptKey, KeyOnDevice, ReadKey } from './recovery-keys.service.js';

export const reason = z
  .string()
  .trim()
  .min(3)
  .max(500)
  .describe('Why: the audit log has it, and whoever approves reads it.');

export const KeepRecoveryKey = z.strictObject({
  key: z.string().trim().min(8).max(1024).describe('Sealed at once; no answer shows it but a reveal.'),
  protects: z.enum(PROTECTED_BY),
  source: z.string().trim().min(1).max(200).describe('What it came from, as in `imaging bench 2`.'),
});

export const KeptKeyView = z.object({
  id: z.uuid(),
  protects: z.enum(PROTECTED_BY),
  source: z.string(),
  keptBy: z.string(),
  keptAt: z.iso.datetime(),
  format: z
    .enum(KEY_FORMATS)
    .nullable()
    .describe(
      'Whether it can be one of its kind: `wrong` is a typing error, or a key of something else. Null: not known.',
    ),
  provedAt: z.iso
    .datetime()
    .nullable()
    .describe('When the device itself said that this key unlocks it. Its word and its clock; null: it never did.'),
  revealedAt: z.iso.datetime().nullable().describe('When somebody last read it; null: nobody ever did.'),
  isNewest: z.boolean().describe('False: another one of its kind was kept after it.'),
  rotationAskedAt: z.iso
    .datetime()
    .nullable()
    .describe('Since when it is to be replaced at the device; null: it isn’t, or a newer one is kept.'),
  rotationAskedBecause: z
    .enum(ROTATION_REASONS)
    .nullable()
    .describe('`revealed`: somebody read it. `handed_back`: its holder has the device no more.'),
});

export const KeptKeysView = z.object({
  items: z.array(KeptKeyView),
  notRevealedSinceRotation: z.boolean().describe('Nobody read any of the keys that are the newest of their kind.'),
});

export const KeyOnDeviceView = KeptKeyView.extend({ deviceId: z.uuid(), assetTag: z.string() });

export const ReadKeyView = z.object({
  id: z.uuid(),
  deviceId: z.uuid(),
  assetTag: z.string(),
  protects: z.enum(PROTECTED_BY),
  key: z.string(),
});

export function keptKeyView(kept: KeptKey): z.infer<typeof KeptKeyView> {
  const { id, protects, source, keptBy, keptAt, format, provedAt, revealedAt, isNewest } = kept;
  const { rotationAskedAt, rotationAskedBecause } = kept;
  return {
    id,
    protects,
    source,
    keptBy,
    keptAt: keptAt.toISOString(),
    format,
    provedAt: provedAt?.toISOString() ?? null,
    revealedAt: revealedAt?.toISOString() ?? null,
    isNewest,
    rotationAskedAt: rotationAskedAt?.toISOString() ?? null,
    rotationAskedBecause,
  };
}

export function keptKeysView(kept: readonly KeptKey[]): z.infer<typeof KeptKeysView> {
  const notRevealedSinceRotation = kept.every(({ isNewest, revealedAt }) => !isNewest || revealedAt === null);
  return { items: kept.map(keptKeyView), notRevealedSinceRotation };
}

export function keyOnDeviceView(kept: KeyOnDevice): z.infer<typeof KeyOnDeviceView> {
  return { ...keptKeyView(kept), deviceId: kept.deviceId, assetTag: kept.assetTag };
}

export function readKeyView({ id, deviceId, assetTag, protects, key }: ReadKey): z.infer<typeof ReadKeyView> {
  return { id, deviceId, assetTag, protects, key };
}
