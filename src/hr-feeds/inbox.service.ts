import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { readHrEvent } from './hr-event.js';
import { HrEventsService, type EventEffect } from './hr-events.service.js';
import { InboxEvent } from './inbox-event.entity.js';

/** What its sender is told of an event. */
type TakenEvent = Pick<InboxEvent, 'id' | 'outcome' | 'outcomeReason' | 'effectiveAt' | 'caseId'>;

/**
 * Takes in what an HR system posts: the event, its outcome and all that follows from it are one transaction, and only
 * its commit is answered with 202. The sender's event id makes a repeat harmless.
 */
@Injectable()
export class InboxService {
  constructor(
    private readonly db: DataSource,
    private readonly events: HrEventsService,
    private readonly audit: AuditService,
  ) {}

  /** @throws Problem `invalid-request` for an event that can't be read: it is kept all the same, with the reason. */
  async receive(source: string, eventId: string, body: string): Promise<TakenEvent> {
    const kept = await inTransaction(this.db, (tx) => this.keep(tx, source, eventId, body));
    if (kept.outcome === 'unreadable') {
      throw new Problem('invalid-request', kept.outcomeReason ?? 'The event can not be read.');
    }
    return kept;
  }

  private async keep(tx: EntityManager, source: string, eventId: string, body: string): Promise<TakenEvent> {
    const id = newId();
    // A second delivery at the same time waits here for the first one's commit.
    const [row] = await queryRows<{ id: string; now: Date }>(
      tx,
      `INSERT INTO inbox_events (id, source, event_id, body, outcome) VALUES ($1, $2, $3, $4, 'unreadable')
       ON CONFLICT ON CONSTRAINT uq_inbox_events_event
       DO UPDATE SET deliveries = inbox_events.deliveries + 1, last_delivery_at = now()
       RETURNING id, now() AS now`,
      [id, source, eventId, body],
    );
    if (!row) throw new Error(`the event ${eventId} was not kept`);
    if (row.id !== id) return tx.findOneByOrFail(InboxEvent, { id: row.id });
    const actor: Actor = { kind: 'hr', id: source, name: `HR system "${source}"`, scopes: [] };
    const effect = await this.take(tx, source, body, actor, row.now);
    await tx.update(InboxEvent, { id }, effect);
    await this.audit.record(tx, actor, 'hr-event.received', {
      subject: { kind: 'hr-event', id },
      ...(effect.caseId && { caseId: effect.caseId }),
      facts: { source, eventId, outcome: effect.outcome },
    });
    const { outcome, outcomeReason = null, effectiveAt = null, caseId = null } = effect;
    return { id, outcome, outcomeReason, effectiveAt, caseId };
  }

  private async take(
    tx: EntityManager,
    source: string,
    body: string,
    actor: Actor,
    now: Date,
  ): Promise<EventEffect & Partial<InboxEvent>> {
    const read = readHrEvent(body);
    if ('mistake' in read) return { outcome: 'unreadable', outcomeReason: read.mistake };
    const { event } = read;
    const known = {
      eventType: event.type,
      employeeId: event.employee.id,
      eventTime: new Date(event.occurredAt),
      sequence: event.sequence,
    };
    try {
      // A savepoint: what a refused event had begun is undone, and the event itself is kept.
      const effect = await tx.transaction((inner) => this.events.apply(inner, source, event, body, actor, now));
      return { ...known, ...effect };
    } catch (error) {
      if (!(error instanceof Problem) || error.kind !== 'invalid-request') throw error;
      return { ...known, outcome: 'unreadable', outcomeReason: error.message };
    }
  }

  async list(
    filter: { source?: string; outcome?: InboxEvent['outcome']; personId?: string },
    page: { before: string | null; limit: number },
  ): Promise<InboxEvent[]> {
    const query = this.db.manager.createQueryBuilder(InboxEvent, 'event').orderBy('event.id', 'DESC').limit(page.limit);
    if (page.before) query.andWhere('event.id < :before', { before: page.before });
    if (filter.source) query.andWhere('event.source = :source', { source: filter.source });
    if (filter.outcome) query.andWhere('event.outcome = :outcome', { outcome: filter.outcome });
    if (filter.personId) query.andWhere('event.person_id = :personId', { personId: filter.personId });
    return query.getMany();
  }
}
