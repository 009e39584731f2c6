import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessPolicyService, required } from '../access-policy/access-policy.service.js';
import type { PolicyVersion } from '../access-policy/policy-version.entity.js';
import { AlertsService } from '../cases/alerts.service.js';
import { LeaversService } from '../leavers/leavers.service.js';
import { MoversService } from '../movers/movers.service.js';
import { refusePersonalAddress } from '../people/corporate-address.js';
import type { Employment } from '../people/employment.entity.js';
import { EmploymentsService, type EmploymentFromSource } from '../people/employments.service.js';
import { orderOf, type EventPosition } from '../people/event-order.js';
import { PeopleService } from '../people/people.service.js';
import type { Person } from '../people/person.entity.js';
import { endOfLocalDay } from '../people/start-instant.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { together } from '../platform/database/together.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DueEmployments } from './due-employments.service.js';
import type { HrEvent } from './hr-event.js';
import type { InboxOutcome } from './inbox-event.entity.js';

/** What became of an event: one outcome, and what it led to. */
export interface EventEffect {
  outcome: InboxOutcome;
  outcomeReason?: string;
  effectiveAt?: Date;
  personId?: string;
  caseId?: string;
}

const DAY = 24 * 60 * 60_000;
const IS_BRAKED =
  'More of this came within an hour than the limit lets pass. A brake holds it until two people decide.';
const IS_GONE = 'The leave has taken effect already. Post employee.joined to give access back.';

type Hired = Extract<HrEvent, { type: 'employee.joined' | 'employee.changed' }>;

type LookedUp = Pick<HrEvent['employee'], 'id'> & { workEmail?: string };

/** What stands of an employee when an event about them comes. */
export interface KnownOfEmployee {
  employment: Employment | null;
  newestHeld: EventPosition | undefined;
  /** Whoever has the address that the event tells; null for nobody, or when it tells none. */
  sameAddress: Person | null;
  /** Null when there is none, or when the event can't give anything. */
  policy: PolicyVersion | null;
}

/** Applies HR events, in the order of their own times: an older one than was applied changes nothing, whenever it comes. */
@Injectable()
export class HrEventsService {
  constructor(
    private readonly people: PeopleService,
    private readonly employments: EmploymentsService,
    private readonly policy: AccessPolicyService,
    private readonly due: DueEmployments,
    private readonly movers: MoversService,
    private readonly leavers: LeaversService,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * What stands of an employee, with the employment locked: all of it asked for at once, since nine of ten events need no
   * more. The caller has seen to it that events about one employee come one after the other.
   */
  async look(tx: EntityManager, source: string, { id, workEmail }: LookedUp): Promise<KnownOfEmployee> {
    const [employment, newestHeld, sameAddress, policy] = await together([
      this.employments.lockBySource(tx, source, id),
      newestHeldPosition(tx, source, id),
      workEmail === undefined ? null : this.people.findByEmail(tx, workEmail),
      workEmail === undefined ? null : this.policy.active(tx),
    ]);
    return { employment, newestHeld, sameAddress, policy };
  }

  /**
   * @param known what `look` told in this transaction
   * @param now by the database's clock, when the transaction began
   */
  async apply(
    tx: EntityManager,
    source: string,
    event: HrEvent,
    body: string,
    known: KnownOfEmployee,
    actor: Actor,
    now: Date,
  ): Promise<EventEffect> {
    refuseFromTheFuture(event, now);
    const { employment } = known;
    const about = employment ? { personId: employment.personId } : {};
    const newest = newestPosition(known);
    if (newest) {
      const order = orderOf({ at: new Date(event.occurredAt), sequence: event.sequence }, newest);
      if (order === 'outdated') {
        return {
          ...about,
          outcome: 'outdated',
          outcomeReason: `A newer event, of ${newest.at.toISOString()}, was there before it.`,
        };
      }
      if (order === 'tie') {
        if (await sameBodyBefore(tx, source, event.employee.id, body)) {
          return { ...about, outcome: 'duplicate', outcomeReason: 'The same event came before under another id.' };
        }
        return this.hold(
          tx,
          source,
          event,
          'Another event claims the same time and sequence. Decide which one holds.',
          about,
        );
      }
    }
    switch (event.type) {
      case 'employee.joined':
      case 'employee.changed':
        return this.hire(tx, source, event, known, actor, now);
      case 'employee.left':
        if (!employment)
          return this.hold(tx, source, event, 'Nobody is known by this id yet. Did a join get lost?', {});
        return this.leave(tx, event, employment, actor, now);
      case 'employee.leave-cancelled':
        if (!employment)
          return this.hold(tx, source, event, 'Nobody is known by this id yet. Did a join get lost?', {});
        return this.cancelLeave(tx, event, employment, actor, now);
    }
  }

  private async hire(
    tx: EntityManager,
    source: string,
    event: Hired,
    { employment: before, sameAddress, policy }: KnownOfEmployee,
    actor: Actor,
    now: Date,
  ): Promise<EventEffect> {
    const { employee } = event;
    refusePersonalAddress(employee.workEmail, required(policy).document.corporateDomains);
    const names = {
      givenName: employee.givenName,
      familyName: employee.familyName,
      displayName: employee.displayName ?? `${employee.givenName} ${employee.familyName}`,
    };
    if (before && sameAddress && sameAddress.id !== before.personId) {
      return this.hold(tx, source, event, 'The address belongs to somebody else.', { personId: before.personId });
    }
    if (!before && sameAddress && !mayBeSame(sameAddress, names)) {
      return this.hold(tx, source, event, 'The address belongs to somebody with another name.', {});
    }
    const end = endAsTold(event, before);
    if (event.type === 'employee.changed' && before && givesBack(before, end, employee.timeZone, now)) {
      return this.hold(tx, source, event, IS_GONE, { personId: before.personId });
    }
    const person = before
      ? await this.people.update(tx, actor, sameAddress ?? (await this.people.get(tx, before.personId)), {
          ...names,
          corporateEmail: employee.workEmail,
        })
      : (sameAddress ??
        (await this.people.create(tx, actor, { ...names, corporateEmail: employee.workEmail, status: 'expected' })));
    const told: EmploymentFromSource = {
      personId: person.id,
      source,
      sourceId: employee.id,
      department: employee.department,
      title: employee.title ?? null,
      employmentType: employee.employmentType,
      location: employee.location ?? null,
      zone: employee.timeZone,
      startDate: employee.startDate,
      ...end,
      lastEventAt: new Date(event.occurredAt),
      lastEventSequence: event.sequence,
    };
    const employment = await this.employments.upsert(tx, actor, told, before);
    await this.takeOutOfBrake(tx, before, employment, actor, now);
    // Gone by an end that HR told, or by an administrator's "leave now", of which the employment knows nothing.
    const wasGone = before !== null && (before.endAppliedAt !== null || person.status === 'left');
    const isBack = event.type === 'employee.joined' && wasGone;
    if (isBack) return this.applyIfDue(tx, await this.employments.restart(tx, employment.id), 'startsAt', actor, now);
    if (before?.startAppliedAt && !before.endAppliedAt && changesAccess(before, employment)) {
      const begun = await this.movers.apply(tx, person.id, actor, now);
      return begun ? { ...effectOf(begun), personId: person.id } : { outcome: 'applied', personId: person.id };
    }
    return this.applyIfDue(tx, employment, 'startsAt', actor, now);
  }

  private async leave(
    tx: EntityManager,
    event: Extract<HrEvent, { type: 'employee.left' }>,
    employment: Employment,
    actor: Actor,
    now: Date,
  ): Promise<EventEffect> {
    const end = { endDate: event.employee.endDate, ...(event.immediate && { endsAt: now }) };
    if (givesBack(employment, end, employment.zone, now)) {
      return this.hold(tx, employment.source, event, IS_GONE, { personId: employment.personId });
    }
    const told: EmploymentFromSource = {
      ...asTold(employment),
      ...end,
      lastEventAt: new Date(event.occurredAt),
      lastEventSequence: event.sequence,
    };
    const after = await this.employments.upsert(tx, actor, told, employment);
    await this.takeOutOfBrake(tx, employment, after, actor, now);
    return this.applyIfDue(tx, after, 'endsAt', actor, now, { urgent: event.immediate });
  }

  private async cancelLeave(
    tx: EntityManager,
    event: Extract<HrEvent, { type: 'employee.leave-cancelled' }>,
    employment: Employment,
    actor: Actor,
    now: Date,
  ): Promise<EventEffect> {
    const about = { personId: employment.personId };
    if (employment.endAppliedAt) {
      return this.hold(tx, employment.source, event, IS_GONE, about);
    }
    const told: EmploymentFromSource = {
      ...asTold(employment),
      endDate: null,
      lastEventAt: new Date(event.occurredAt),
      lastEventSequence: event.sequence,
    };
    const after = await this.employments.upsert(tx, actor, told, employment);
    await this.takeOutOfBrake(tx, employment, after, actor, now);
    return { ...about, outcome: 'applied' };
  }

  /** An end that a brake held and that HR moved away from now: the leave isn't to be done any more. */
  private async takeOutOfBrake(
    tx: EntityManager,
    before: Employment | null,
    { personId, endsAt }: Employment,
    actor: Actor,
    now: Date,
  ): Promise<void> {
    if (!before?.endHeldAt || (endsAt !== null && endsAt <= now)) return;
    await this.leavers.cancelHeld(tx, personId, actor, `${actor.name} told that this isn’t the end.`);
  }

  /** What is due now is begun in the event's own transaction; what isn't is begun when its instant comes. */
  private async applyIfDue(
    tx: EntityManager,
    known: Employment,
    at: 'startsAt' | 'endsAt',
    actor: Actor,
    now: Date,
    how: { urgent?: boolean } = {},
  ): Promise<EventEffect> {
    const { employment, caseId, held } = await this.due.applyOne(tx, known, actor, now, how);
    const about = { personId: employment.personId };
    if (caseId) return { ...about, ...effectOf({ caseId, held }) };
    const effectiveAt = employment[at];
    const applied = at === 'startsAt' ? employment.startAppliedAt : employment.endAppliedAt;
    if (applied || !effectiveAt) return { ...about, outcome: 'applied' };
    return { ...about, outcome: 'scheduled', effectiveAt };
  }

  private async hold(
    tx: EntityManager,
    source: string,
    event: HrEvent,
    reason: string,
    about: { personId?: string },
  ): Promise<EventEffect> {
    await this.alerts.raise(tx, {
      dedupKey: `hr_event_held:${source}:${event.employee.id}`,
      kind: 'hr_event_held',
      severity: 'warning',
      owner: 'it-admins',
      message: `${event.type} for ${event.employee.id} from "${source}" is held: ${reason}`,
    });
    return { ...about, outcome: 'held', outcomeReason: reason };
  }
}

/** A case that was begun, or that a brake holds. */
function effectOf({ caseId, held }: { caseId: string; held: boolean | undefined }): EventEffect {
  return held ? { outcome: 'held', outcomeReason: IS_BRAKED, caseId } : { outcome: 'applied', caseId };
}

/** One event dated far ahead would make every later one "outdated", a leave among them. */
function refuseFromTheFuture({ occurredAt }: HrEvent, now: Date): void {
  if (Date.parse(occurredAt) - now.getTime() <= DAY) return;
  throw new Problem('invalid-request', `occurredAt is in the future: ${occurredAt}. Is your clock right?`);
}

/** The newest event that counts for this employee: applied to the employment, or held before there was one. */
function newestPosition({ employment, newestHeld: held }: KnownOfEmployee): EventPosition | undefined {
  const applied = employment && { at: employment.lastEventAt, sequence: employment.lastEventSequence };
  if (!applied) return held;
  if (!held) return applied;
  return orderOf(held, applied) === 'newer' ? held : applied;
}

async function newestHeldPosition(
  tx: EntityManager,
  source: string,
  employeeId: string,
): Promise<EventPosition | undefined> {
  const [held] = await queryRows<{ at: Date; sequence: number }>(
    tx,
    prepared(`SELECT event_time AS at, sequence FROM inbox_events WHERE source = $1 AND employee_id = $2 AND outcome = 'held'
     ORDER BY event_time DESC, sequence DESC LIMIT 1`),
    [source, employeeId],
  );
  return held;
}

async function sameBodyBefore(tx: EntityManager, source: string, employeeId: string, body: string): Promise<boolean> {
  // The event itself has no outcome yet but the one that it started with.
  const rows = await queryRows(
    tx,
    `SELECT 1 FROM inbox_events WHERE source = $1 AND employee_id = $2 AND body = $3 AND outcome <> 'unreadable' LIMIT 1`,
    [source, employeeId, body],
  );
  return rows.length > 0;
}

/** The employment as its source last told it, without what was made of it here. */
function asTold(employment: Employment): EmploymentFromSource {
  const { personId, source, sourceId, department, title, employmentType, location, zone } = employment;
  const { startDate, endDate, lastEventAt, lastEventSequence } = employment;
  const where = { personId, source, sourceId, department, title, employmentType, location, zone };
  return { ...where, startDate, endDate, lastEventAt, lastEventSequence };
}

/** A change that says nothing new of the end leaves it as it is, to the instant; `null` takes it away. */
function endAsTold(
  { type, employee: { endDate, timeZone } }: Hired,
  before: Employment | null,
): Pick<EmploymentFromSource, 'endDate' | 'endsAt'> {
  const isNew = endDate !== undefined && endDate !== before?.endDate;
  if (type === 'employee.joined' || !before?.endsAt || isNew) return { endDate: endDate ?? null };
  const sameInstant = before.endAppliedAt !== null || before.zone === timeZone;
  return { endDate: before.endDate, ...(sameInstant && { endsAt: before.endsAt }) };
}

/** Whether an end that took effect would be over again: nobody would plan the access of an employment that revives. */
function givesBack(
  { endAppliedAt }: Employment,
  { endDate, endsAt }: Pick<EmploymentFromSource, 'endDate' | 'endsAt'>,
  zone: string,
  now: Date,
): boolean {
  return endAppliedAt !== null && (endDate === null || (endsAt ?? endOfLocalDay(endDate, zone)) > now);
}

function changesAccess(before: Employment, after: Employment): boolean {
  return (
    before.department !== after.department ||
    before.employmentType !== after.employmentType ||
    before.location !== after.location
  );
}

function mayBeSame(person: Person, names: { familyName: string }): boolean {
  return person.familyName.toLowerCase() === names.familyName.toLowerCase();
}
