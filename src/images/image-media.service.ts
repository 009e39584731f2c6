import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { BeginMedium, ReadBack } from './image-media-views.js';
import { ImageMedium } from './image-medium.entity.js';
import { ImageVersions } from './image-versions.service.js';
import { afterReadBack } from './medium-states.js';

type NewMedium = z.infer<typeof BeginMedium>;

export interface MediaFilter {
  serial?: string;
  imageVersionId?: string;
}

const UNPROVED =
  'It read back as the image, but not past the memory of the system: that is no proof. Verify it once more, on a machine that can.';

/** The only writer of `image_media`. */
@Injectable()
export class ImageMedia {
  constructor(
    private readonly versions: ImageVersions,
    private readonly audit: AuditService,
  ) {}

  /** Before anything is written. @throws Problem `conflict` for a version that isn't published, or was withdrawn */
  async begin(tx: EntityManager, actor: Actor, want: NewMedium): Promise<ImageMedium> {
    const version = await this.versions.lock(tx, want.imageVersionId);
    if (version.channel === 'draft' || version.channel === 'withdrawn') {
      throw new Problem('conflict', `This version is ${version.channel}: it isn’t to be written to sticks.`);
    }
    const id = newId();
    await tx.insert(ImageMedium, { ...want, id, writtenBy: actor.name });
    await this.audit.record(tx, actor, 'image-medium.begun', {
      subject: { kind: 'image', id: version.imageId },
      facts: { mediumId: id, imageVersionId: version.id, serial: want.serial },
    });
    return this.get(tx, id);
  }

  /**
   * What shows nothing of a stick that is verified changes nothing, nor does the failure that was told already: whoever tells
   * it again heard no answer.
   * @throws Problem `conflict` for one that failed before, `invalid-request` for a hash that can't be called the same
   */
  async readBack(
    tx: EntityManager,
    actor: Actor,
    id: string,
    { verdict, sha256, uncached, problem }: z.infer<typeof ReadBack>,
  ): Promise<ImageMedium> {
    const medium = known(await tx.findOne(ImageMedium, { where: { id }, lock: { mode: 'pessimistic_write' } }));
    const isToldAgain = verdict !== 'same' && medium.sha256 === sha256 && medium.problem === problem;
    if (medium.state === 'failed' && isToldAgain) return medium;
    const state = afterReadBack(medium.state, verdict, uncached);
    const version = await this.versions.get(tx, medium.imageVersionId);
    if (verdict === 'same' && sha256 !== version.sha256) {
      const detail = 'What is the same as the image has its SHA-256.';
      throw new Problem('invalid-request', detail, [{ pointer: '/sha256', detail }]);
    }
    const isShown = verdict === 'same' && uncached;
    if (state === 'verified' && !isShown) return medium;
    const why = problem ?? (state === 'writing' ? UNPROVED : null);
    const found = { state, sha256, uncached, problem: why, checkedBy: actor.name, checkedAt: () => 'now()' };
    await tx.update(ImageMedium, { id }, found);
    await this.audit.record(tx, actor, 'image-medium.read-back', {
      subject: { kind: 'image', id: version.imageId },
      facts: { mediumId: id, imageVersionId: version.id, serial: medium.serial, verdict, sha256, uncached },
    });
    return this.get(tx, id);
  }

  /** Newest writing first. */
  async list(
    tx: EntityManager,
    { serial, imageVersionId }: MediaFilter,
    page: { before: string | null; limit: number },
  ): Promise<ImageMedium[]> {
    const query = tx.createQueryBuilder(ImageMedium, 'medium').orderBy('medium.id', 'DESC').limit(page.limit);
    if (page.before) query.andWhere('medium.id < :before', { before: page.before });
    if (serial) query.andWhere('medium.serial = :serial', { serial });
    if (imageVersionId) query.andWhere('medium.image_version_id = :imageVersionId', { imageVersionId });
    return query.getMany();
  }

  /** The sticks that one of these versions is on, as far as it is known: nothing was written to them since. */
  async carrying(tx: EntityManager, imageVersionIds: readonly string[]): Promise<ImageMedium[]> {
    return tx
      .createQueryBuilder(ImageMedium, 'medium')
      .where('medium.image_version_id = ANY(:imageVersionIds)', { imageVersionIds })
      .andWhere(
        `NOT EXISTS (SELECT FROM image_media later WHERE later.serial = medium.serial AND later.id > medium.id)`,
      )
      .orderBy('medium.id')
      .getMany();
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<ImageMedium> {
    return known(await tx.findOneBy(ImageMedium, { id }));
  }
}

function known(medium: ImageMedium | null): ImageMedium {
  if (!medium) throw new Problem('not-found', 'There is no record of such a stick.');
  return medium;
}
