import { z } from 'zod';
import { IMAGE_CHANNELS } from '../images/image-channels.js';
import { ImageMediumView, imageMediumView } from '../images/image-media-views.js';
import { ImageVersionView, imageVersionView } from '../images/images-views.js';
import { Instant } from '../platform/http/instant.js';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { IMAGING_CHECKS, type DeviceImaging } from './device-imaging.entity.js';
import type { CarryingDevice, Withdrawn } from './image-carriers.service.js';
import { DRIFT_FINDINGS } from './image-drift.js';
import type { DriftingDevice } from './image-drift.service.js';

export const RecordImaging = z.strictObject({
  imageVersionId: z.uuid(),
  mediumId: z.uuid().nullable().default(null).describe('The record of the stick that it came from.'),
  verified: z
    .enum(IMAGING_CHECKS)
    .describe('Read back: the disk was, and is the image. Started: the machine started from it and told its version.'),
  imagedAt: Instant.optional().describe('Now, when it isn’t said.'),
});

export const ImagingView = z.object({
  id: z.uuid(),
  deviceId: z.uuid(),
  imageVersionId: z.uuid(),
  mediumId: z.uuid().nullable(),
  verified: z.enum(IMAGING_CHECKS),
  imagedBy: z.string(),
  imagedAt: z.iso.datetime(),
  recordedAt: z.iso.datetime(),
});

export const CarryingDeviceView = z.object({
  id: z.uuid(),
  assetTag: z.string(),
  serial: z.string().optional().describe('Left out for who doesn’t hold `devices:read-serials`.'),
  holderId: z.uuid().nullable(),
  recorded: z.boolean().describe('It was imaged with this version, by the record.'),
  reported: z.boolean().describe('It told this version itself, last.'),
});

export const WithdrawnView = z.object({
  version: ImageVersionView,
  media: z.array(ImageMediumView).describe('The sticks that it is on.'),
  deviceCount: z.int(),
  devices: z.array(CarryingDeviceView).describe('The first 200 of the machines that carry it.'),
});

const VersionFactsView = z.object({
  id: z.uuid(),
  image: z.string(),
  version: z.string(),
  channel: z.enum(IMAGE_CHANNELS),
});

export const DriftingDeviceView = z.object({
  deviceId: z.uuid(),
  assetTag: z.string(),
  holderId: z.uuid().nullable(),
  findings: z.array(z.enum(DRIFT_FINDINGS)),
  recorded: VersionFactsView.nullable().describe('The version that it was given, by the record.'),
  standard: z
    .object({ id: z.uuid(), version: z.string() })
    .nullable()
    .describe('The current version of that image and architecture.'),
  reported: z
    .object({ value: z.string(), observedAt: z.iso.datetime() })
    .nullable()
    .describe('What it told last; null: it never did, so what it runs isn’t known.'),
  reportedVersion: VersionFactsView.nullable(),
  imagedAt: z.iso.datetime().nullable(),
  packages: z
    .object({
      observedAt: z.iso.datetime().nullable().describe('Of its newest list; null: it never told one.'),
      counts: z
        .object({ missing: z.int(), otherVersion: z.int(), extra: z.int() })
        .nullable()
        .describe('Null: that list wasn’t compared with this version.'),
    })
    .nullable()
    .describe('Null: its version pins no packages. Which they are: GET /v1/devices/{id}/packages/drift.'),
});

export function imagingView(imaging: DeviceImaging): z.infer<typeof ImagingView> {
  const { id, deviceId, imageVersionId, mediumId, verified, imagedBy } = imaging;
  return {
    id,
    deviceId,
    imageVersionId,
    mediumId,
    verified,
    imagedBy,
    imagedAt: imaging.imagedAt.toISOString(),
    recordedAt: imaging.recordedAt.toISOString(),
  };
}

export function carryingDeviceView(
  { serial, ...device }: CarryingDevice,
  actor: Actor,
): z.infer<typeof CarryingDeviceView> {
  return seesField(actor, 'device.serial') ? { ...device, serial } : device;
}

export function withdrawnView(withdrawn: Withdrawn, actor: Actor): z.infer<typeof WithdrawnView> {
  const { version, media, deviceCount, devices } = withdrawn;
  return {
    version: imageVersionView(version),
    media: media.map(imageMediumView),
    deviceCount,
    devices: devices.map((device) => carryingDeviceView(device, actor)),
  };
}

export function driftingDeviceView({
  reported,
  imagedAt,
  packages,
  ...device
}: DriftingDevice): z.infer<typeof DriftingDeviceView> {
  return {
    ...device,
    reported: reported && { value: reported.value, observedAt: reported.observedAt.toISOString() },
    imagedAt: imagedAt?.toISOString() ?? null,
    packages: packages && { observedAt: packages.told?.observedAt.toISOString() ?? null, counts: packages.counts },
  };
}
