import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import type { Permit } from '../platform/roles/permit.js';
import { reaches } from '../platform/roles/within-reach.js';
import type { Scope } from '../platform/sign-in/actor.js';
import { changesIn, TOLD, type Change, type ToldEntry } from './visible-changes.js';

/** Milliseconds between two looks, while anybody listens. */
const EVERY = 400;
/** Streams of one caller at a time: some pages of theirs. */
const MOST_OF_ONE = 12;
const MOST_ENTRIES = 1_000;

export interface Listener {
  actorId: string;
  permits: ReadonlyMap<Scope, Permit>;
  /** Cases whose steps are told of as they move; decisions about other cases are told anyway. */
  cases: readonly string[];
  tell: (changes: readonly Change[]) => void;
  /** The server stops. */
  end: () => void;
}

/**
 * Tells pages that something changed, so that they read it again. Every decision has an audit entry, so these are what is
 * looked for; what workers do has none of its own, so the cases that somebody looks at are compared. PostgreSQL is asked
 * rather than listened to: NOTIFY takes a lock at each commit, and here nobody waits for milliseconds.
 */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  /** Entries below this place in the log were told. */
  private place = 0;
  /** Told, and without a place as yet. */
  private told = new Set<string>();
  /** By case: what its steps were like at the last look. */
  private seen = new Map<string, string>();
  private isStopped = false;

  constructor(
    private readonly db: DataSource,
    private readonly log: PinoLogger,
  ) {}

  onModuleDestroy(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    for (const listener of this.listeners) listener.end();
    this.listeners.clear();
  }

  /**
   * Once it resolves, whatever is committed from then on is told. Call what it answers when nobody listens any more.
   * @throws Problem `too-many-requests`
   */
  async listen(listener: Listener): Promise<() => void> {
    const ofCaller = [...this.listeners].filter(({ actorId }) => actorId === listener.actorId);
    if (ofCaller.length >= MOST_OF_ONE) {
      throw new Problem('too-many-requests', `You listen ${MOST_OF_ONE} times already. Close some of these pages.`);
    }
    const isFirst = this.listeners.size === 0;
    this.listeners.add(listener);
    try {
      if (isFirst) await this.begin();
      // Before the caller reads: what changes between the two is told.
      await this.movedCases(listener.cases);
    } catch (error) {
      this.leave(listener);
      throw error;
    }
    if (isFirst) this.goOn();
    return () => this.leave(listener);
  }

  private leave(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.told.clear();
    this.seen.clear();
  }

  private async begin(): Promise<void> {
    const [log] = await queryRows<{ size: number }>(this.db, `SELECT size FROM audit_log`);
    this.place = log?.size ?? 0;
    for (const { id } of await this.entries()) this.told.add(id);
  }

  private goOn(): void {
    if (this.isStopped || this.timer !== undefined || this.listeners.size === 0) return;
    this.timer = setTimeout(() => {
      this.look()
        // A database that is away is told by every answer; the next look finds what this one missed.
        .catch((error: unknown) => this.log.warn({ err: error }, 'what changed could not be looked for'))
        .finally(() => {
          this.timer = undefined;
          this.goOn();
        });
    }, EVERY);
  }

  private async look(): Promise<void> {
    const changes = [...(await this.decided()), ...(await this.moved())];
    if (changes.length === 0) return;
    await Promise.all([...this.listeners].map((listener) => this.tell(listener, changes)));
  }

  /** What was decided since the last look. */
  private async decided(): Promise<Change[]> {
    const entries = await this.entries();
    const fresh = entries.filter(({ id }) => !this.told.has(id));
    for (const { id, place } of entries) {
      if (place === null) {
        this.told.add(id);
        continue;
      }
      this.told.delete(id);
      this.place = Math.max(this.place, place + 1);
    }
    return changesIn(fresh);
  }

  /** Without a place, or with one after the last that was told: a place is given once and in order, an id isn't. */
  private entries(): Promise<(ToldEntry & { id: string; place: number | null })[]> {
    const columns = `id, leaf_index AS place, subject_kind AS "subjectKind", subject_id AS "subjectId", case_id AS "caseId"`;
    return queryRows(
      this.db,
      `(SELECT ${columns} FROM audit_entries WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT ${MOST_ENTRIES})
       UNION ALL (SELECT ${columns} FROM audit_entries WHERE leaf_index IS NULL ORDER BY at DESC, id DESC LIMIT ${MOST_ENTRIES})`,
      [this.place],
    );
  }

  private async moved(): Promise<Change[]> {
    const watched = new Set([...this.listeners].flatMap(({ cases }) => cases));
    for (const id of this.seen.keys()) if (!watched.has(id)) this.seen.delete(id);
    return (await this.movedCases([...watched])).map((id) => ({ kind: 'case', id }));
  }

  /** Those among these cases that aren't as they were seen last; all of them are seen by it. */
  private async movedCases(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await queryRows<{ id: string; likeness: string }>(
      this.db,
      `SELECT c.id, md5(c.state || coalesce(string_agg(
           concat_ws(' ', s.id, s.state, s.attempts, s.failures, s.fence, s.residual_until, s.owner, s.reason, s.attested_at),
           ';' ORDER BY s.position, s.id), '')) AS likeness
       FROM cases c LEFT JOIN steps s ON s.case_id = c.id WHERE c.id = ANY($1) GROUP BY c.id, c.state`,
      [ids],
    );
    const moved = rows.filter(({ id, likeness }) => (this.seen.get(id) ?? likeness) !== likeness);
    for (const { id, likeness } of rows) this.seen.set(id, likeness);
    return moved.map(({ id }) => id);
  }

  private async tell(listener: Listener, changes: readonly Change[]): Promise<void> {
    const visible: Change[] = [];
    for (const change of changes) {
      const { scope, reached } = TOLD[change.kind];
      const permit = listener.permits.get(scope);
      if (permit && (await reaches(this.db.manager, permit, reached, change.id))) visible.push(change);
    }
    if (visible.length > 0 && this.listeners.has(listener)) listener.tell(visible);
  }
}
