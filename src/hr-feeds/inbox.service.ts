import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { together } from '../platform/database/together.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor, Origin } from '../platform/sign-in/actor.js';
import { readHrEvent, type HrEvent } from './hr-event.js';
import { HrEventsService, type EventEffect } from './hr-events.service.js';
import { InboxEvent } from './inbox-event.entity.js';

/** What its sender is told of an event. */
type TakenEvent = Pick<InboxEvent, 'id' | 'outcome' | 'outcomeReason' | 'effectiveAt' | 'caseId'>;

interface Posted {
  source: string;
  sender: Actor;
  /** The sender's, from the `webhook-id` header. */
  eventId: string;
  body: string;
}

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
  async receive(source: string, eventId: string, body: string, from?: Origin): Promise<TakenEvent> {
    const kept = await this.take({ source, sender: senderOf(source, from), eventId, body });
    if (kept.outcome === 'unreadable') {
      throw new Problem('invalid-request', kept.outcomeReason ?? 'The event can not be read.');
    }
    return kept;
  }

  private async take(posted: Posted): Promise<TakenEvent> {
    const { source, sender, body } = posted;
    const read = readHrEvent(body);
    if ('mistake' in read) return this.keepUnreadable(posted, undefined, read.mistake);
    const { event } = read;
    try {
      return await inTransaction(this.db, async (tx) => {
        // One round trip. What stands of the employee is read when the event is noted, and nobody else decides about them.
        const [noted, known] = await together([
          this.note(tx, posted, event),
          this.events.look(tx, source, event.employee),
        ]);
        if (noted.isRepeat) return tx.findOneByOrFail(InboxEvent, { id: noted.id });
        const effect = await this.events.apply(tx, source, event, body, known, sender, noted.now);
        return this.conclude(tx, posted, noted.id, effect);
      });
    } catch (error) {
      // What a refused event had begun is undone, and the event itself is kept.
      if (!(error instanceof Problem) || error.kind !== 'invalid-request') throw error;
      return this.keepUnreadable(posted, event, error.message);
    }
  }

  private async keepUnreadable(posted: Posted, event: HrEvent | undefined, outcomeReason: string): Promise<TakenEvent> {
    return inTransaction(this.db, async (tx) => {
      const { id, isRepeat } = await this.note(tx, posted, event);
      if (isRepeat) return tx.findOneByOrFail(InboxEvent, { id });
      return this.conclude(tx, posted, id, { outcome: 'unreadable', outcomeReason });
    });
  }

  /** Keeps the event, as yet without an outcome of its own; a repeat is counted, and answered as the first was. */
  private async note(
    tx: EntityManager,
    { source, eventId, body }: Posted,
    event: HrEvent | undefined,
  ): Promise<{ id: string; isRepeat: boolean; now: Date }> {
    const id = newId();
    // A second delivery at the same time waits here for the first one's commit; and two events about one employee are
    // taken one after the other, even when neither is known yet.
    const [row] = await queryRows<{ id: string; now: Date }>(
      tx,
      prepared(`INSERT INTO inbox_events (id, source, event_id, body, outcome, event_type, employee_id, event_time, sequence)
       SELECT $1::uuid, $2::text, $3::text, $4::text, 'unreadable', $5::text, $6::text, $7::timestamptz, $8::bigint
       FROM (SELECT pg_advisory_xact_lock(hashtextextended('employee ' || $2 || ' ' || $6, 0)) OFFSET 0) AS alone
       ON CONFLICT ON CONSTRAINT uq_inbox_events_event
       DO UPDATE SET deliveries = inbox_events.deliveries + 1, last_delivery_at = now()
       RETURNING id, now() AS now`),
      [
        id,
        source,
        eventId,
        body,
        event?.type,
        event?.employee.id,
        event && new Date(event.occurredAt),
        event?.sequence,
      ],
    );
    if (!row) throw new Error(`the event ${eventId} was not kept`);
    return { ...row, isRepeat: row.id !== id };
  }

  private async conclude(
    tx: EntityManager,
    { source, sender, eventId }: Posted,
    id: string,
    effect: EventEffect,
  ): Promise<TakenEvent> {
    const { outcome, outcomeReason = null, effectiveAt = null, personId = null, caseId = null } = effect;
    const change = {
      sql: `UPDATE inbox_events SET outcome = $2, outcome_reason = $3, effective_at = $4, person_id = $5, case_id = $6 WHERE id = $1`,
      parameters: [id, outcome, outcomeReason, effectiveAt, personId, caseId],
    };
    await this.audit.recordChange(tx, change, sender, 'hr-event.received', {
      subject: { kind: 'hr-event', id },
      ...(caseId && { caseId }),
      facts: { source, eventId, outcome },
    });
    return { id, outcome, outcomeReason, effectiveAt, caseId };
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

function senderOf(source: string, from: Origin | undefined): Actor {
  return { kind: 'hr', id: source, name: `HR system "${source}"`, scopes: [], ...(from && { from }) };
}
