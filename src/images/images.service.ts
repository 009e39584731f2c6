import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Image } from './image.entity.js';

/** The only writer of `images`. */
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
    if (!Array.isArray(inserted.raw) || inserted.raw.length === 0) {
      throw new Problem('conflict', `There is an image “${name}” already.`);
    }
    await this.audit.record(tx, actor, 'image.created', { subject: { kind: 'image', id }, facts: { name } });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Image> {
    return known(await tx.findOneBy(Image, { id }));
  }

  /** So that one thing happens to its versions at a time. @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<Image> {
    return known(await tx.findOne(Image, { where: { id }, lock: { mode: 'pessimistic_write' } }));
  }

  async list(tx: EntityManager, page: { after: string | null; limit: number }): Promise<Image[]> {
    const query = tx.createQueryBuilder(Image, 'image').orderBy('image.id').limit(page.limit);
    if (page.after) query.andWhere('image.id > :after', { after: page.after });
    return query.getMany();
  }
}

function known(image: Image | null): Image {
  if (!image) throw new Problem('not-found', 'There is no image with this id.');
  return image;
}
