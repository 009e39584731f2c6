import { Injectable } from '@nestjs/common';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { requireChanged } from '../platform/http/versions.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { refuseUnlessMoves, type ImageChannel } from './image-channels.js';
import { ImageContent } from './image-content.entity.js';
import { releaseOf } from './image-release.js';
import { ImageVersion } from './image-version.entity.js';
import { Image } from './image.entity.js';
import { ImagesService } from './images.service.js';
import { ReleaseKeys } from './release-keys.service.js';
import { isSignedBy, type ImageRelease } from './release-statement.js';

/** What a draft may say of itself, and may be changed in. */
export type ImageDescription = Pick<
  ImageVersion,
  'os' | 'architecture' | 'sizeBytes' | 'sha256' | 'manifest' | 'changeLog' | 'signature' | 'releaseKeyId'
>;

export type NewImageVersion = ImageDescription & { version: string; releasedAt: Date | null };

/** With what else people ask about it. */
export type ImageVersionDetails = ImageVersion & {
  /** The image's name. */
  image: string;
  content: Pick<ImageContent, 'state' | 'receivedBytes' | 'checkedBytes' | 'problem'> | null;
};

export interface ImageVersionsFilter {
  imageId?: string;
  /** The image's name. */
  image?: string;
  version?: string;
  channel?: ImageChannel;
  architecture?: ImageVersion['architecture'];
}

/** The only writer of `image_versions`. */
@Injectable()
export class ImageVersions {
  constructor(
    private readonly images: ImagesService,
    private readonly keys: ReleaseKeys,
    private readonly audit: AuditService,
  ) {}

  /** A draft. @throws Problem `conflict` when the image has this version already */
  async add(tx: EntityManager, actor: Actor, imageId: string, want: NewImageVersion): Promise<ImageVersionDetails> {
    await this.images.get(tx, imageId);
    await this.refuseUnknownKey(tx, want.releaseKeyId);
    const id = newId();
    const { releasedAt, ...rest } = want;
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(ImageVersion)
      .values({ ...rest, releasedAt: releasedAt ?? (() => 'now()'), id, imageId })
      .orIgnore()
      .returning('id')
      .execute();
    if (!Array.isArray(inserted.raw) || inserted.raw.length === 0) {
      throw new Problem('conflict', `This image has a version “${want.version}” already.`);
    }
    await this.audit.record(tx, actor, 'image-version.created', {
      subject: { kind: 'image', id: imageId },
      facts: { imageVersionId: id, version: want.version, sha256: want.sha256 },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `conflict` for what isn't a draft, or for another size or hash once content was received */
  async change(
    tx: EntityManager,
    actor: Actor,
    id: string,
    change: Partial<ImageDescription>,
    expectedRevision: number,
  ): Promise<ImageVersionDetails> {
    const version = await this.lock(tx, id);
    requireChanged(version.revision === expectedRevision ? 1 : 0);
    refuseUnlessDraft(version);
    await this.refuseUnknownKey(tx, change.releaseKeyId ?? null);
    const isOtherContent = (['sizeBytes', 'sha256'] as const).some(
      (name) => change[name] !== undefined && change[name] !== version[name],
    );
    if (isOtherContent && (await tx.existsBy(ImageContent, { versionId: id }))) {
      throw new Problem('conflict', 'Content was sent for this size and hash: discard that first.');
    }
    await tx.update(ImageVersion, { id }, { ...change, revision: () => 'revision + 1' });
    await this.audit.record(tx, actor, 'image-version.changed', {
      subject: { kind: 'image', id: version.imageId },
      facts: { imageVersionId: id, changed: Object.keys(change) },
    });
    return this.get(tx, id);
  }

  /**
   * Makes it the one to use for its image and architecture; the one before becomes deprecated. Again changes nothing.
   * @throws Problem `conflict` that says what is missing: a part of its description, its content, a signature that counts
   */
  async publish(tx: EntityManager, actor: Actor, id: string): Promise<ImageVersionDetails> {
    const found = await this.get(tx, id);
    // Two that are published at the same time must not both be the current one.
    const image = await this.images.lock(tx, found.imageId);
    const version = await this.lock(tx, id);
    if (version.channel === 'current') return this.get(tx, id);
    refuseUnlessMoves(version.channel, 'current');
    await this.refuseUnsigned(tx, releaseOf(version, image.name), version);
    const content = await tx.findOneBy(ImageContent, { versionId: id });
    if (content?.state !== 'stored') {
      throw new Problem('conflict', 'Its content isn’t there, or its hash isn’t checked yet: send it first.');
    }
    for (const before of await this.retireCurrent(tx, version)) {
      await this.audit.record(tx, actor, 'image-version.deprecated', {
        subject: { kind: 'image', id: image.id },
        facts: { imageVersionId: before.id, version: before.version, insteadOf: id },
      });
    }
    await tx.query(
      `UPDATE image_versions SET channel = 'current', revision = revision + 1,
         published_at = COALESCE(published_at, now()), published_by = COALESCE(published_by, $2) WHERE id = $1`,
      [id, actor.name],
    );
    await this.audit.record(tx, actor, 'image-version.published', {
      subject: { kind: 'image', id: image.id },
      facts: {
        imageVersionId: id,
        version: version.version,
        sha256: version.sha256,
        releaseKeyId: version.releaseKeyId,
      },
      before: { channel: version.channel },
      after: { channel: 'current' },
    });
    return this.get(tx, id);
  }

  /** It may go on being used, but is no longer the one to use. Again changes nothing. */
  async deprecate(tx: EntityManager, actor: Actor, id: string): Promise<ImageVersionDetails> {
    const version = await this.lock(tx, id);
    if (version.channel === 'deprecated') return this.get(tx, id);
    refuseUnlessMoves(version.channel, 'deprecated');
    await tx.update(ImageVersion, { id }, { channel: 'deprecated', revision: () => 'revision + 1' });
    await this.audit.record(tx, actor, 'image-version.deprecated', {
      subject: { kind: 'image', id: version.imageId },
      facts: { imageVersionId: id, version: version.version },
    });
    return this.get(tx, id);
  }

  /** Nobody may use it any more, for good. Again changes nothing: the first reason stays. */
  async withdraw(tx: EntityManager, actor: Actor, id: string, reason: string): Promise<ImageVersionDetails> {
    const version = await this.lock(tx, id);
    if (version.channel === 'withdrawn') return this.get(tx, id);
    refuseUnlessMoves(version.channel, 'withdrawn');
    await tx.update(
      ImageVersion,
      { id },
      {
        channel: 'withdrawn',
        withdrawnAt: () => 'now()',
        withdrawnBy: actor.name,
        withdrawalReason: reason,
        revision: () => 'revision + 1',
      },
    );
    await this.audit.record(tx, actor, 'image-version.withdrawn', {
      subject: { kind: 'image', id: version.imageId },
      facts: { imageVersionId: id, version: version.version },
      before: { channel: version.channel },
      after: { channel: 'withdrawn' },
      reason,
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<ImageVersionDetails> {
    const [found] = await this.detailed(tx, (query) => query.where('version.id = :id', { id }));
    return known(found ?? null);
  }

  /** @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<ImageVersion> {
    return known(await tx.findOne(ImageVersion, { where: { id }, lock: { mode: 'pessimistic_write' } }));
  }

  /** By id, so that what was made later comes later. */
  async list(
    tx: EntityManager,
    filter: ImageVersionsFilter,
    page: { after: string | null; limit: number },
  ): Promise<ImageVersionDetails[]> {
    const { imageId, image, version, channel, architecture } = filter;
    return this.detailed(tx, (query) => {
      query.orderBy('version.id').limit(page.limit);
      if (page.after) query.andWhere('version.id > :after', { after: page.after });
      if (imageId) query.andWhere('version.image_id = :imageId', { imageId });
      if (image) query.andWhere('image.name = :image', { image });
      if (version) query.andWhere('version.version = :version', { version });
      if (channel) query.andWhere('version.channel = :channel', { channel });
      if (architecture) query.andWhere('version.architecture = :architecture', { architecture });
      return query;
    });
  }

  /** All that nobody may use any more. */
  async withdrawn(tx: EntityManager): Promise<ImageVersionDetails[]> {
    return this.detailed(tx, (query) => query.where(`version.channel = 'withdrawn'`).orderBy('version.id'));
  }

  /** Of one image, newest release first. */
  async ofImage(tx: EntityManager, imageId: string): Promise<ImageVersionDetails[]> {
    return this.detailed(tx, (query) =>
      query
        .where('version.image_id = :imageId', { imageId })
        .orderBy('version.released_at', 'DESC')
        .addOrderBy('version.id', 'DESC'),
    );
  }

  private async detailed(
    tx: EntityManager,
    chosen: (query: SelectQueryBuilder<ImageVersion>) => SelectQueryBuilder<ImageVersion>,
  ): Promise<ImageVersionDetails[]> {
    const query = tx
      .createQueryBuilder(ImageVersion, 'version')
      .innerJoin(Image, 'image', 'image.id = version.image_id')
      .leftJoin(ImageContent, 'content', 'content.version_id = version.id')
      .addSelect('image.name', 'its_name')
      .addSelect('content.state', 'its_state')
      .addSelect('content.received_bytes', 'its_received')
      .addSelect('content.checked_bytes', 'its_checked')
      .addSelect('content.problem', 'its_problem');
    const { entities, raw } = await chosen(query).getRawAndEntities<JoinedColumns>();
    return entities.map((version, index) => {
      const joined = raw[index];
      if (!joined) throw new Error('an image version without its row');
      const { its_state: state, its_received, its_checked, its_problem: problem } = joined;
      const content = state && {
        state,
        receivedBytes: Number(its_received),
        checkedBytes: Number(its_checked),
        problem,
      };
      return Object.assign(version, { image: joined.its_name, content });
    });
  }

  private async retireCurrent(tx: EntityManager, next: ImageVersion): Promise<{ id: string; version: string }[]> {
    return queryRows(
      tx,
      `UPDATE image_versions SET channel = 'deprecated', revision = revision + 1
       WHERE image_id = $1 AND architecture = $2 AND channel = 'current' RETURNING id, version`,
      [next.imageId, next.architecture],
    );
  }

  private async refuseUnsigned(tx: EntityManager, release: ImageRelease, version: ImageVersion): Promise<void> {
    const { signature, releaseKeyId } = version;
    if (signature === null || releaseKeyId === null) {
      throw new Problem('conflict', 'It isn’t signed: give `signature` and `releaseKeyId` first.');
    }
    const key = await this.keys.hold(tx, releaseKeyId);
    if (key.retiredAt !== null) {
      throw new Problem('conflict', `The release key “${key.name}” is retired: sign it with another one.`);
    }
    if (!isSignedBy(release, signature, key.publicKey)) {
      throw new Problem('conflict', `The signature isn’t one of “${key.name}” over this version’s release statement.`);
    }
  }

  private async refuseUnknownKey(tx: EntityManager, id: string | null): Promise<void> {
    if (id === null) return;
    await this.keys.get(tx, id).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      throw new Problem('invalid-request', error.message, [{ pointer: '/releaseKeyId', detail: error.message }]);
    });
  }
}

interface JoinedColumns {
  its_name: string;
  its_state: ImageContent['state'] | null;
  its_received: number | null;
  its_checked: number | null;
  its_problem: string | null;
}

/** @throws Problem `conflict` */
export function refuseUnlessDraft({ channel }: Pick<ImageVersion, 'channel'>): void {
  if (channel === 'draft') return;
  throw new Problem('conflict', `This version is ${channel}, and only a draft can be changed. Add another version.`);
}

function known<Version extends ImageVersion>(version: Version | null): Version {
  if (!version) throw new Problem('not-found', 'There is no image version with this id.');
  return version;
}
