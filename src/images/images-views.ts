import { z } from 'zod';
import type { ImageVersion } from './image-version.entity.js';
import type { Image } from './image.entity.js';

export const ImageView = z.object({ id: z.uuid(), name: z.string() });

export const ImageVersionView = z.object({
  id: z.uuid(),
  imageId: z.uuid(),
  version: z.string(),
  sha256: z.string().nullable(),
  releasedAt: z.iso.datetime(),
});

export const ImageDetails = ImageView.extend({ versions: z.array(ImageVersionView).describe('Newest release first.') });

export const CreateImage = z.strictObject({ name: z.string().trim().min(1).max(200) });

export const AddImageVersion = z.strictObject({
  version: z.string().trim().min(1).max(100),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'This has to be a SHA-256 in lower-case hex.')
    .nullable()
    .default(null),
  releasedAt: z.iso.datetime({ offset: true }),
});

export function imageView({ id, name }: Image): z.infer<typeof ImageView> {
  return { id, name };
}

export function imageVersionView({
  id,
  imageId,
  version,
  sha256,
  releasedAt,
}: ImageVersion): z.infer<typeof ImageVersionView> {
  return { id, imageId, version, sha256, releasedAt: releasedAt.toISOString() };
}
