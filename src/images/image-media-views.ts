import { z } from 'zod';
import type { ImageMedium } from './image-medium.entity.js';
import { MEDIUM_STATES, READ_BACK_VERDICTS } from './medium-states.js';

const TEXT = z.string().trim().min(1).max(200);

export const ImageMediumView = z.object({
  id: z.uuid(),
  serial: z.string(),
  model: z.string().nullable(),
  capacityBytes: z.int(),
  imageVersionId: z.uuid(),
  state: z
    .enum(MEDIUM_STATES)
    .describe(
      'Writing: nobody has said yet that it was read back past the system’s memory. Failed: it wasn’t the image.',
    ),
  sha256: z.string().nullable().describe('Of what was read back last.'),
  uncached: z.boolean().nullable().describe('It was read past the kernel’s memory: what was read was on it.'),
  problem: z.string().nullable(),
  writtenBy: z.string(),
  writtenAt: z.iso.datetime(),
  checkedBy: z.string().nullable(),
  checkedAt: z.iso.datetime().nullable(),
});

export const BeginMedium = z.strictObject({
  serial: TEXT.describe('Of the stick; where it has none, what is written on it.'),
  model: TEXT.nullable().default(null),
  capacityBytes: z.int().min(1),
  imageVersionId: z.uuid(),
});

export const ReadBack = z.strictObject({
  verdict: z.enum(READ_BACK_VERDICTS),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'This has to be a SHA-256 in lower-case hex.')
    .nullable()
    .default(null)
    .describe('Of what was read back; with `same` it has to be the version’s.'),
  uncached: z
    .boolean()
    .default(false)
    .describe('It was read past the kernel’s memory; `same` without that verifies nothing.'),
  problem: z.string().trim().min(1).max(500).nullable().default(null),
});

export function imageMediumView(medium: ImageMedium): z.infer<typeof ImageMediumView> {
  const { id, serial, model, capacityBytes, imageVersionId, state, sha256, uncached, problem } = medium;
  return {
    id,
    serial,
    model,
    capacityBytes,
    imageVersionId,
    state,
    sha256,
    uncached,
    problem,
    writtenBy: medium.writtenBy,
    writtenAt: medium.writtenAt.toISOString(),
    checkedBy: medium.checkedBy,
    checkedAt: medium.checkedAt?.toISOString() ?? null,
  };
}
