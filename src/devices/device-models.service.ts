import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DeviceModel } from './device-model.entity.js';

export type NewDeviceModel = Pick<DeviceModel, 'name' | 'manufacturer' | 'replacementLeadDays'>;

/** The only writer of `device_models`. */
@Injectable()
export class DeviceModelsService {
  constructor(private readonly audit: AuditService) {}

  /** @throws Problem `conflict` when there is one of this name */
  async create(tx: EntityManager, actor: Actor, want: NewDeviceModel): Promise<DeviceModel> {
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
    if (!Array.isArray(rows) || rows.length === 0) {
      throw new Problem('conflict', `There is a device model “${want.name}” already.`);
    }
    await this.audit.record(tx, actor, 'device-model.created', {
      subject: { kind: 'device-model', id },
      facts: { name: want.name },
    });
    return tx.findOneByOrFail(DeviceModel, { id });
  }

  async list(tx: EntityManager, page: { after: string | null; limit: number }): Promise<DeviceModel[]> {
    const query = tx.createQueryBuilder(DeviceModel, 'model').orderBy('model.id').limit(page.limit);
    if (page.after) query.andWhere('model.id > :after', { after: page.after });
    return query.getMany();
  }
}
