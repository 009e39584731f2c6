import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ImageVersion } from './image-version.entity.js';
import { Image } from './image.entity.js';

export interface NewImageVersion {
  version: string;
  sha256: string | null;
  releasedAt: Date;
}

/** The only writer of `images` and `image_versions`. */
@Injectable()
export class ImagesService {
  constructor(private readonly audit: AuditService) {}

  /** @throws Problem `conflict` when there is one of this name */
  async create(tx: EntityManager, actor: Actor, name: string): Promise<Image> {
    const id = newId();
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(Image)
      .values({ id, name })
      .orIgnore()
      .returning('id')
      .execute();
    if (!isInserted(inserted.raw)) throw new Problem('conflict', `There is an image “${name}” already.`);
    await this.audit.record(tx, actor, 'image.created', { subject: { kind: 'image', id }, facts: { name } });
    return this.get(tx, id);
  }

  /** @throws Problem `conflict` when the image has this version already: a version is never changed */
  async addVersion(tx: EntityManager, actor: Actor, imageId: string, want: NewImageVersion): Promise<ImageVersion> {
    await this.get(tx, imageId);
    const id = newId();
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(ImageVersion)
      .values({ ...want, id, imageId })
      .orIgnore()
      .returning('id')
      .execute();
    if (!isInserted(inserted.raw)) throw new Problem('conflict', `This image has a version “${want.version}” already.`);
    await this.audit.record(tx, actor, 'image-version.created', {
      subject: { kind: 'image', id: imageId },
      facts: { imageVersionId: id, version: want.version, sha256: want.sha256 },
    });
    return tx.findOneByOrFail(ImageVersion, { id });
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Image> {
    const image = await tx.findOneBy(Image, { id });
    if (!image) throw new Problem('not-found', 'There is no image with this id.');
    return image;
  }

  async list(tx: EntityManager, page: { after: string | null; limit: number }): Promise<Image[]> {
    const query = tx.createQueryBuilder(Image, 'image').orderBy('image.id').limit(page.limit);
    if (page.after) query.andWhere('image.id > :after', { after: page.after });
    return query.getMany();
  }

  /** Of one image, newest release first. */
  async versions(tx: EntityManager, imageId: string): Promise<ImageVersion[]> {
    return tx.find(ImageVersion, { where: { imageId }, order: { releasedAt: 'DESC', id: 'DESC' } });
  }
}

function isInserted(raw: unknown): boolean {
  return Array.isArray(raw) && raw.length > 0;
}
