import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService, ownerlessKey } from '../cases/alerts.service.js';
import { PeopleService } from '../people/people.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ServicePrincipal } from './service-principal.entity.js';

/** The only writer of `service_principals`. */
@Injectable()
export class ServicePrincipals {
  constructor(
    private readonly db: DataSource,
    private readonly people: PeopleService,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
  ) {}

  /** @throws Problem `conflict` when the name is taken or the owner left, `not-found` without such a person */
  async create(tx: EntityManager, actor: Actor, name: string, ownerPersonId: string): Promise<ServicePrincipal> {
    await this.refuseWhoLeft(tx, ownerPersonId);
    const created = await this.insert(tx, actor, name, ownerPersonId);
    if (!created) throw new Problem('conflict', 'There is a service of this name already.');
    return created;
  }

  /**
   * The service of this name. Where there is none it is made, and nobody answers for it until it is handed on: for whoever
   * sits at the server, when nobody is known yet.
   */
  async ensure(tx: EntityManager, actor: Actor, name: string): Promise<ServicePrincipal> {
    return (await this.insert(tx, actor, name, null)) ?? tx.findOneByOrFail(ServicePrincipal, { name });
  }

  /** Null when the name is taken. */
  private async insert(
    tx: EntityManager,
    actor: Actor,
    name: string,
    ownerPersonId: string | null,
  ): Promise<ServicePrincipal | null> {
    const id = newId();
    const inserted = await queryRows(
      tx,
      `INSERT INTO service_principals (id, name, owner_person_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`,
      [id, name, ownerPersonId],
    );
    if (inserted.length === 0) return null;
    await this.audit.record(tx, actor, 'service-principal.created', {
      subject: { kind: 'service-principal', id },
      facts: { name, ownerPersonId },
    });
    return tx.findOneByOrFail(ServicePrincipal, { id });
  }

  /** Somebody else answers for it from now on. @throws Problem `not-found`, `conflict` for somebody who left */
  async handOn(tx: EntityManager, actor: Actor, id: string, ownerPersonId: string): Promise<ServicePrincipal> {
    const before = await tx.findOne(ServicePrincipal, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!before) throw new Problem('not-found', 'There is no service with this id.');
    await this.refuseWhoLeft(tx, ownerPersonId);
    await tx.update(ServicePrincipal, { id }, { ownerPersonId });
    await this.audit.record(tx, actor, 'service-principal.handed-on', {
      subject: { kind: 'service-principal', id },
      before: { ownerPersonId: before.ownerPersonId },
      after: { ownerPersonId },
    });
    await this.alerts.resolve(tx, [ownerlessKey(id)]);
    return tx.findOneByOrFail(ServicePrincipal, { id });
  }

  /** All of them, by name. */
  async list(): Promise<ServicePrincipal[]> {
    return this.db.manager.find(ServicePrincipal, { order: { name: 'ASC' } });
  }

  private async refuseWhoLeft(tx: EntityManager, personId: string): Promise<void> {
    // Locked: a leave of theirs comes before this and is seen, or after it and sees the service.
    const { status } = await this.people.lock(tx, personId);
    if (status === 'left') throw new Problem('conflict', 'This person has left, and can’t answer for anything here.');
  }
}
