import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { requireChanged } from '../platform/http/versions.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DeviceModelMinimum } from './device-model-minimum.entity.js';
import { DeviceModel } from './device-model.entity.js';

/** How many spares of the model a site should have. */
export type Minimum = Pick<DeviceModelMinimum, 'siteId' | 'minimum'>;

export type KnownModel = DeviceModel & { minimums: Minimum[] };

export type NewDeviceModel = Pick<
  DeviceModel,
  'name' | 'manufacturer' | 'replacementLeadDays' | 'lifetimeMonths' | 'warrantyMonths' | 'standard'
> & { minimums: readonly Minimum[] };

export type DeviceModelChange = Partial<NewDeviceModel>;

/** The only writer of `device_models` and `device_model_minimums`. */
@Injectable()
export class DeviceModelsService {
  constructor(private readonly audit: AuditService) {}

  /** @throws Problem `conflict` when there is one of this name, `invalid-request` for an unknown site */
  async create(tx: EntityManager, actor: Actor, { minimums, ...want }: NewDeviceModel): Promise<KnownModel> {
    const id = newId();
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(DeviceModel)
      .values({ ...want, id })
      .orIgnore()
      .returning('id')
      .execute();
    const rows: unknown = inserted.raw;
    if (!Array.isArray(rows) || rows.length === 0) throw nameTaken(want.name);
    await this.keep(tx, id, minimums);
    await this.audit.record(tx, actor, 'device-model.created', {
      subject: { kind: 'device-model', id },
      facts: { ...want, minimums },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found`; `precondition-failed`, `conflict` for a name that is taken, `invalid-request` for an unknown site */
  async update(
    tx: EntityManager,
    actor: Actor,
    id: string,
    { minimums, ...change }: DeviceModelChange,
    expectedVersion: number,
  ): Promise<KnownModel> {
    const locked = await tx.findOne(DeviceModel, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!locked) throw unknown();
    requireChanged(locked.version === expectedVersion ? 1 : 0);
    const before = await this.get(tx, id);
    if (change.name !== undefined && change.name !== before.name) {
      if (await tx.existsBy(DeviceModel, { name: change.name })) throw nameTaken(change.name);
    }
    await tx.update(DeviceModel, { id }, { ...change, version: () => 'version + 1' });
    if (minimums) await this.keep(tx, id, minimums);
    const after = await this.get(tx, id);
    await this.audit.record(tx, actor, 'device-model.changed', {
      subject: { kind: 'device-model', id },
      facts: { fields: [...Object.keys(change), ...(minimums ? ['minimums'] : [])] },
      before: factsOf(before),
      after: factsOf(after),
    });
    return after;
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<KnownModel> {
    const model = await tx.findOneBy(DeviceModel, { id });
    const [known] = model ? await this.withMinimums(tx, [model]) : [];
    if (!known) throw unknown();
    return known;
  }

  async list(tx: EntityManager, page: { after: string | null; limit: number }): Promise<KnownModel[]> {
    const query = tx.createQueryBuilder(DeviceModel, 'model').orderBy('model.id').limit(page.limit);
    if (page.after) query.andWhere('model.id > :after', { after: page.after });
    return this.withMinimums(tx, await query.getMany());
  }

  private async withMinimums(tx: EntityManager, models: readonly DeviceModel[]): Promise<KnownModel[]> {
    const all = await tx.find(DeviceModelMinimum, {
      where: { modelId: In(models.map(({ id }) => id)) },
      order: { siteId: 'ASC' },
    });
    return models.map((model) =>
      Object.assign(model, {
        minimums: all.filter(({ modelId }) => modelId === model.id).map(({ siteId, minimum }) => ({ siteId, minimum })),
      }),
    );
  }

  /** The whole list; what isn't on it any more has no minimum. */
  private async keep(tx: EntityManager, modelId: string, minimums: readonly Minimum[]): Promise<void> {
    const siteIds = minimums.map(({ siteId }) => siteId);
    const known = await queryRows<{ id: string }>(tx, `SELECT id FROM sites WHERE id = ANY ($1)`, [siteIds]);
    const strange = siteIds.findIndex((siteId) => !known.some(({ id }) => id === siteId));
    if (strange >= 0) {
      const detail = 'There is no site with this id. See GET /v1/sites.';
      throw new Problem('invalid-request', detail, [{ pointer: `/minimums/${strange}/siteId`, detail }]);
    }
    await tx.delete(DeviceModelMinimum, { modelId });
    if (minimums.length > 0) {
      await tx.insert(
        DeviceModelMinimum,
        minimums.map((one) => ({ ...one, modelId })),
      );
    }
  }
}

function factsOf({ id: _id, version: _version, ...facts }: KnownModel): Record<string, unknown> {
  return facts;
}

function nameTaken(name: string): Problem {
  return new Problem('conflict', `There is a device model “${name}” already.`);
}

function unknown(): Problem {
  return new Problem('not-found', 'There is no device model with this id.');
}
