import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ImageReleaseKey } from './image-release-key.entity.js';
import { readReleaseKey } from './release-statement.js';

/** The only writer of `image_release_keys`. */
@Injectable()
export class ReleaseKeys {
  constructor(private readonly audit: AuditService) {}

  /** @throws Problem `invalid-request` for what is no public Ed25519 key, `conflict` for a name or a key that is there */
  async add(tx: EntityManager, actor: Actor, name: string, text: string): Promise<ImageReleaseKey> {
    const key = readReleaseKey(text);
    if (!key) {
      const detail = 'This has to be the public half of an Ed25519 key, as PEM: `openssl pkey -in key.pem -pubout`.';
      throw new Problem('invalid-request', detail, [{ pointer: '/publicKey', detail }]);
    }
    const id = newId();
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(ImageReleaseKey)
      .values({ id, name, publicKey: key.pem, fingerprint: key.fingerprint, addedBy: actor.name })
      .orIgnore()
      .returning('id')
      .execute();
    if (!Array.isArray(inserted.raw) || inserted.raw.length === 0) {
      throw new Problem('conflict', 'There is a release key of this name, or this very key, already.');
    }
    await this.audit.record(tx, actor, 'image-release-key.added', {
      subject: { kind: 'image-release-key', id },
      facts: { name, fingerprint: key.fingerprint },
    });
    return this.get(tx, id);
  }

  /** Nothing is published under it any more; what was stays so. Again changes nothing. */
  async retire(tx: EntityManager, actor: Actor, id: string): Promise<ImageReleaseKey> {
    const key = known(await tx.findOne(ImageReleaseKey, { where: { id }, lock: { mode: 'pessimistic_write' } }));
    if (key.retiredAt !== null) return key;
    await tx.update(ImageReleaseKey, { id }, { retiredAt: () => 'now()', retiredBy: actor.name });
    await this.audit.record(tx, actor, 'image-release-key.retired', {
      subject: { kind: 'image-release-key', id },
      facts: { name: key.name, fingerprint: key.fingerprint },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<ImageReleaseKey> {
    return known(await tx.findOneBy(ImageReleaseKey, { id }));
  }

  /** Stays as it is until the transaction ends. @throws Problem `not-found` */
  async hold(tx: EntityManager, id: string): Promise<ImageReleaseKey> {
    return known(await tx.findOne(ImageReleaseKey, { where: { id }, lock: { mode: 'pessimistic_read' } }));
  }

  /** Oldest first, retired ones too: what they signed may be in use. */
  async list(tx: EntityManager): Promise<ImageReleaseKey[]> {
    return tx.find(ImageReleaseKey, { order: { id: 'ASC' } });
  }
}

function known(key: ImageReleaseKey | null): ImageReleaseKey {
  if (!key) throw new Problem('not-found', 'There is no release key with this id.');
  return key;
}
