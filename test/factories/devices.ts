import type { EntityManager } from 'typeorm';
import { DeviceModel } from '../../src/devices/device-model.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { DeviceReturn } from '../../src/devices/returns/device-return.entity.js';
import { ImageVersion } from '../../src/images/image-version.entity.js';
import { Image } from '../../src/images/image.entity.js';
import { Site } from '../../src/people/site.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aPerson } from './people.js';

export async function aDeviceModel(tx: EntityManager, with_: Partial<DeviceModel> = {}): Promise<DeviceModel> {
  const id = with_.id ?? newId();
  await tx.insert(DeviceModel, {
    name: `Model ${id.slice(-12)}`,
    manufacturer: 'Acme',
    replacementLeadDays: 3,
    ...with_,
    id,
  });
  return tx.findOneByOrFail(DeviceModel, { id });
}

/** In stock, or with its holder when one is given. */
export async function aDevice(tx: EntityManager, with_: Partial<Device> = {}): Promise<Device> {
  const id = with_.id ?? newId();
  const modelId = with_.modelId ?? (await aDeviceModel(tx)).id;
  const state = with_.holderId ? 'assigned' : 'in_stock';
  await tx.insert(Device, {
    assetTag: `QM-${id.slice(-12)}`,
    serial: `SN-${id.slice(-12)}`,
    state,
    ...with_,
    id,
    modelId,
  });
  return tx.findOneByOrFail(Device, { id });
}

/** Asked for, of a device that its holder still has, unless another state is given. */
export async function aReturn(tx: EntityManager, with_: Partial<DeviceReturn> = {}): Promise<DeviceReturn> {
  const id = with_.id ?? newId();
  const personId = with_.personId ?? (await aPerson(tx)).id;
  const deviceId = with_.deviceId ?? (await aDevice(tx, { holderId: personId, siteId: with_.siteId ?? null })).id;
  const received = with_.state === 'received' ? { receivedAt: new Date(), receivedBy: 'Grace' } : {};
  await tx.insert(DeviceReturn, { askedBy: 'a test', ...received, ...with_, id, personId, deviceId });
  return tx.findOneByOrFail(DeviceReturn, { id });
}

/** A place of its own, in Berlin's time. */
export async function aSite(tx: EntityManager, with_: Partial<Site> = {}): Promise<Site> {
  const id = with_.id ?? newId();
  await tx.insert(Site, { name: `Site ${id.slice(-12)}`, zone: 'Europe/Berlin', ...with_, id });
  return tx.findOneByOrFail(Site, { id });
}

/** Of an image of its own unless one is given. */
export async function anImageVersion(tx: EntityManager, with_: Partial<ImageVersion> = {}): Promise<ImageVersion> {
  const id = with_.id ?? newId();
  const imageId = with_.imageId ?? newId();
  if (!with_.imageId) await tx.insert(Image, { id: imageId, name: `Image ${imageId.slice(-12)}` });
  await tx.insert(ImageVersion, {
    version: '2026.1',
    releasedAt: new Date('2026-01-01T00:00:00Z'),
    ...with_,
    id,
    imageId,
  });
  return tx.findOneByOrFail(ImageVersion, { id });
}
