import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DeviceSeen } from './api-shapes.js';
import { Laptop } from './laptop.js';
import type { QuartermasterApi } from './quartermaster-api.js';

export const MODEL = 'Developer laptop 16';
export const IMAGE = 'Debian workstation';
export const IMAGE_VERSION = '2026.11.2';

/** As the Linux reporter of ops/reporters tells of LUKS with a TPM and a PIN. */
const ENCRYPTED = {
  volume: '/',
  role: 'internal',
  state: 'encrypted',
  method: 'LUKS2-aes-xts-plain64',
  protectors: ['tpm_pin', 'recovery_key'],
};

const Named = z.object({ id: z.uuid(), name: z.string() });
const Version = z.object({ id: z.uuid(), version: z.string() });

/** The standard equipment: laptops of one model, on one version of one image. */
export interface Equipment {
  /** A new laptop on the shelf, with its reporter, which told of its disk some time ago. */
  deliver(assetTag: string, imagedMinutesAgo: number): Promise<Laptop>;
  imageVersionId: string;
}

export async function registerEquipment(api: QuartermasterApi, stranger: QuartermasterApi): Promise<Equipment> {
  const model =
    (await api.list('/v1/device-models', Named)).find(({ name }) => name === MODEL) ??
    (await api.post(
      '/v1/device-models',
      { name: MODEL, manufacturer: 'Example Computers', replacementLeadDays: 3 },
      Named,
    ));
  const image =
    (await api.list('/v1/images', Named)).find(({ name }) => name === IMAGE) ??
    (await api.post('/v1/images', { name: IMAGE }, Named));
  const { versions } = await api.get(`/v1/images/${image.id}`, z.object({ versions: z.array(Version) }));
  const version =
    versions.find((one) => one.version === IMAGE_VERSION) ??
    (await api.post(
      `/v1/images/${image.id}/versions`,
      {
        version: IMAGE_VERSION,
        sha256: createHash('sha256').update(`${IMAGE} ${IMAGE_VERSION}`).digest('hex'),
        releasedAt: '2026-11-09T08:00:00Z',
      },
      Version,
    ));
  return {
    imageVersionId: version.id,
    async deliver(assetTag, imagedMinutesAgo) {
      const serial = `SN-${assetTag}`;
      const wanted = { assetTag, serial, modelId: model.id, imageVersionId: version.id };
      const { id } = await api.post('/v1/devices', wanted, DeviceSeen);
      const laptop = await Laptop.of({ id, assetTag, serial }, api, stranger);
      const imagedAt = new Date(Date.now() - imagedMinutesAgo * 60_000);
      await laptop.tell({ kind: 'disk_encryption', volumes: [ENCRYPTED] }, imagedAt);
      await laptop.tell({ kind: 'image_version', value: `${IMAGE} ${IMAGE_VERSION}` }, imagedAt);
      await laptop.escrow();
      return laptop;
    },
  };
}
