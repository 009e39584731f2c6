import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CasesReader } from '../cases/cases-reader.service.js';
import { attemptView, caseView, stepView } from '../cases/cases-views.js';
import { returnView } from '../devices/returns/returns-views.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { proveEntries, type ProvedEntries } from '../platform/audit/prove-entry.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { CONTROLS, PACK_FORMAT, whatIsNotProved, type EvidencePack } from './evidence-pack.js';

interface HrEventRow {
  source: string;
  eventId: string;
  eventType: string | null;
  eventTime: Date | null;
  receivedAt: Date;
  outcome: string;
}

/** Acts of a second pair of eyes, as the audit log calls them. */
const APPROVALS = /^(approval|hold)\.|^brake\.(released|discarded)$|^step\.(attested|waived|confirmed)$/;

/** What was said of the case itself, and of the brake that held it until two people decided. */
const ITS_ENTRIES = `(case_id = $1 OR subject_id IN (
  SELECT unnest(ARRAY[k.id, a.id])::text FROM braked_cases b JOIN brakes k ON k.id = b.brake_id JOIN approvals a ON a.target_id = k.id
  WHERE b.case_id = $1 AND k.state IN ('released', 'discarded')))`;

const Leaf = z.looseObject({
  id: z.uuid(),
  at: z.string(),
  action: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  stepId: z.uuid().nullable(),
});

/** Puts together what an auditor asks of one case. */
@Injectable()
export class EvidencePacks {
  constructor(
    private readonly db: DataSource,
    private readonly cases: CasesReader,
    private readonly audit: AuditService,
  ) {}

  /**
   * Whoever reads one is in the audit log.
   * @throws Problem `not-found`, `conflict` while the log isn't sealed; BrokenLog when an entry isn't what was sealed
   */
  async of(caseId: string, actor: Actor): Promise<EvidencePack> {
    const found = await this.cases.inFull(actor, caseId);
    const { personId } = found.case;
    const log = await proveEntries(this.db, ITS_ENTRIES, caseId);
    const hrEvents = await this.hrEventsOf(caseId, personId, found.case.openedAt);
    const steps = found.steps.map((step) => ({
      ...stepView(step),
      toolName: step.toolName,
      calls: step.attemptsMade.map((attempt) => ({ ...attemptView(attempt), intent: attempt.intent })),
    }));
    const returns = found.returns.map(returnView);
    const heard = hrEvents.at(-1)?.receivedAt;
    await inTransaction(this.db, (tx) =>
      this.audit.record(tx, actor, 'case.evidence-read', { subject: { kind: 'person', id: personId }, caseId }),
    );
    return {
      format: PACK_FORMAT,
      madeAt: new Date().toISOString(),
      case: caseView(found.case, actor),
      person: actor.scopes.includes('people:read') ? await this.person(personId) : null,
      hrEvents: hrEvents.map((event) => ({
        ...event,
        eventTime: event.eventTime?.toISOString() ?? null,
        receivedAt: event.receivedAt.toISOString(),
      })),
      decision: {
        at: found.case.openedAt.toISOString(),
        by: found.case.openedBy,
        secondsAfterHr: heard ? (found.case.openedAt.getTime() - heard.getTime()) / 1000 : null,
      },
      approvals: approvalsIn(log),
      steps,
      returns,
      residuals: steps.flatMap(({ id, toolName, residualUntil }) =>
        residualUntil === null ? [] : [{ stepId: id, toolName, until: residualUntil }],
      ),
      notProved: whatIsNotProved(steps, log, hrEvents, returns),
      controls: CONTROLS,
      log: {
        key: log.key,
        checkpoint: log.checkpoint,
        entries: log.entries.map(({ index, leaf, hashes }) => ({
          index,
          leaf,
          hashes: hashes.map((hash) => hash.toString('base64')),
        })),
        unsealed: [...log.unsealed],
      },
    };
  }

  /** What HR said of this person up to the decision, and of the case itself; the newest last. */
  private async hrEventsOf(caseId: string, personId: string, openedAt: Date): Promise<HrEventRow[]> {
    const rows = await queryRows<HrEventRow>(
      this.db,
      `SELECT source, event_id AS "eventId", event_type AS "eventType", event_time AS "eventTime",
         received_at AS "receivedAt", outcome
       FROM inbox_events
       WHERE case_id = $1 OR (person_id = $2 AND received_at <= $3 AND outcome = 'scheduled')
       ORDER BY received_at DESC LIMIT 20`,
      [caseId, personId, openedAt],
    );
    return rows.toReversed();
  }

  private async person(id: string): Promise<EvidencePack['person']> {
    const [person] = await queryRows<NonNullable<EvidencePack['person']>>(
      this.db,
      `SELECT display_name AS "displayName", corporate_email AS "corporateEmail" FROM people WHERE id = $1`,
      [id],
    );
    return person ?? null;
  }
}

function approvalsIn({ entries }: ProvedEntries): EvidencePack['approvals'] {
  return entries
    .map(({ entry }) => Leaf.parse(entry))
    .filter(({ action }) => APPROVALS.test(action))
    .map(({ id, at, action, actor, stepId }) => ({
      stepId,
      what: action,
      by: `${actor.kind} ${actor.id}`,
      at: new Date(at).toISOString(),
      entryId: id,
    }));
}
