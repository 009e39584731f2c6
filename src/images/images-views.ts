import { z } from 'zod';
import { Instant } from '../platform/http/instant.js';
import { IMAGE_CHANNELS } from './image-channels.js';
import { IMAGE_CONTENT_STATES } from './image-content.entity.js';
import type { ImageReleaseKey } from './image-release-key.entity.js';
import { ARCHITECTURES } from './image-version.entity.js';
import type { ImageVersionDetails } from './image-versions.service.js';
import type { Image } from './image.entity.js';
import { PACKAGE_LISTS } from './release-statement.js';

/** Bytes: as much as a bucket takes in 8,192 parts of 16 MiB. */
export const LARGEST_IMAGE = 128 * 1024 ** 3;

const NAME = z.string().trim().min(1).max(200);
const VERSION = z.string().trim().min(1).max(100);
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/, 'This has to be a SHA-256 in lower-case hex.');
const SIZE = z.int().min(1).max(LARGEST_IMAGE);

const Manifest = z
  .strictObject({
    inputs: z
      .array(
        z.strictObject({
          name: NAME,
          version: VERSION,
          sha256: SHA256,
          list: z
            .enum(PACKAGE_LISTS)
            .optional()
            .describe('For a package that stands in this list of the system: machines are compared with it.'),
        }),
      )
      .max(5_000),
  })
  .describe('What it was built from, pinned.');

export const ImageView = z.object({ id: z.uuid(), name: z.string() });

export const ImageContentView = z.object({
  state: z
    .enum(IMAGE_CONTENT_STATES)
    .describe('Received: all bytes are there, and their SHA-256 isn’t known yet. Stored: it is the version’s.'),
  receivedBytes: z.int(),
  checkedBytes: z.int().describe('How far its SHA-256 is computed.'),
  problem: z.string().nullable(),
});

export const ImageVersionView = z.object({
  id: z.uuid(),
  imageId: z.uuid(),
  image: z.string(),
  version: z.string(),
  sha256: z.string().nullable(),
  releasedAt: z.iso.datetime(),
  os: z.string().nullable(),
  architecture: z.enum(ARCHITECTURES).nullable(),
  sizeBytes: z.int().nullable(),
  manifest: z
    .object({
      inputs: z.array(
        z.object({ name: z.string(), version: z.string(), sha256: z.string(), list: z.enum(PACKAGE_LISTS).optional() }),
      ),
    })
    .nullable(),
  changeLog: z.string(),
  signature: z.string().nullable(),
  releaseKeyId: z.uuid().nullable(),
  channel: z.enum(IMAGE_CHANNELS),
  revision: z.int().describe('Counts its changes; the ETag.'),
  publishedAt: z.iso.datetime().nullable(),
  publishedBy: z.string().nullable(),
  withdrawnAt: z.iso.datetime().nullable(),
  withdrawnBy: z.string().nullable(),
  withdrawalReason: z.string().nullable(),
  content: ImageContentView.nullable().describe('Null: nothing of it was sent yet.'),
});

export const ImageDetails = ImageView.extend({ versions: z.array(ImageVersionView).describe('Newest release first.') });

export const ReleaseKeyView = z.object({
  id: z.uuid(),
  name: z.string(),
  publicKey: z.string().describe('Ed25519, as PEM.'),
  fingerprint: z.string().describe('SHA-256 of the key as DER, to compare with what its owner says.'),
  addedBy: z.string(),
  addedAt: z.iso.datetime(),
  retiredBy: z.string().nullable(),
  retiredAt: z.iso.datetime().nullable().describe('From then on nothing is published under it.'),
});

export const CreateImage = z.strictObject({ name: NAME });

const describing = {
  os: z.string().trim().min(1).max(100).nullable().describe('As in `debian-13`.'),
  architecture: z.enum(ARCHITECTURES).nullable(),
  sizeBytes: SIZE.nullable(),
  sha256: SHA256.nullable().describe('Of the content.'),
  manifest: Manifest.nullable(),
  changeLog: z.string().max(20_000).describe('What is new in it, for people.'),
  signature: z
    .string()
    .regex(/^[A-Za-z0-9+/]{86}==$/, 'This has to be an Ed25519 signature in base64: 64 bytes.')
    .nullable()
    .describe('Over the release statement, in base64.'),
  releaseKeyId: z.uuid().nullable().describe('Whose signature it is.'),
};

export const AddImageVersion = z.strictObject({
  version: VERSION,
  releasedAt: Instant.optional().describe('Now, when it isn’t said.'),
  os: describing.os.default(null),
  architecture: describing.architecture.default(null),
  sizeBytes: describing.sizeBytes.default(null),
  sha256: describing.sha256.default(null),
  manifest: describing.manifest.default(null),
  changeLog: describing.changeLog.default(''),
  signature: describing.signature.default(null),
  releaseKeyId: describing.releaseKeyId.default(null),
});

export const ChangeImageVersion = z.strictObject(describing).partial();

export const Withdrawal = z.strictObject({
  reason: z.string().trim().min(3).max(500).describe('Why nobody may use it any more, for everybody who has it.'),
});

export const AddReleaseKey = z.strictObject({
  name: NAME,
  publicKey: z.string().max(1_000).describe('The public half of an Ed25519 key, as PEM: `openssl pkey -pubout`.'),
});

export function imageView({ id, name }: Image): z.infer<typeof ImageView> {
  return { id, name };
}

export function imageVersionView(row: ImageVersionDetails): z.infer<typeof ImageVersionView> {
  const { id, imageId, image, version, sha256, os, architecture, sizeBytes, manifest, changeLog } = row;
  const { signature, releaseKeyId, channel, revision, publishedBy, withdrawnBy, withdrawalReason, content } = row;
  return {
    id,
    imageId,
    image,
    version,
    sha256,
    releasedAt: row.releasedAt.toISOString(),
    os,
    architecture,
    sizeBytes,
    manifest,
    changeLog,
    signature,
    releaseKeyId,
    channel,
    revision,
    publishedAt: row.publishedAt?.toISOString() ?? null,
    publishedBy,
    withdrawnAt: row.withdrawnAt?.toISOString() ?? null,
    withdrawnBy,
    withdrawalReason,
    content,
  };
}

export function releaseKeyView(key: ImageReleaseKey): z.infer<typeof ReleaseKeyView> {
  const { id, name, publicKey, fingerprint, addedBy, retiredBy } = key;
  return {
    id,
    name,
    publicKey,
    fingerprint,
    addedBy,
    addedAt: key.addedAt.toISOString(),
    retiredBy,
    retiredAt: key.retiredAt?.toISOString() ?? null,
  };
}
