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

/** What is known from the first listener to the last. */
interface Run {
  /** Ready to be listened to. */
  begun: Promise<void>;
  timer: NodeJS.Timeout | undefined;
  /** Entries below this place in the log were looked at. */
  place: number;
  /** Looked at, and without a place as yet. */
  known: Set<string>;
  /** By case: what its steps were like at the last look. */
  seen: Map<string, string>;
  /** Found, and not told yet. */
  found: Change[];
}

/**
 * Tells pages that something changed, so that they read it again. Every decision has an audit entry, so these are what is
 * looked for; what workers do has none of its own, so the cases that somebody looks at are compared. PostgreSQL is asked
 * rather than listened to: NOTIFY takes a lock at each commit, and here nobody waits for milliseconds.
 */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  private readonly listeners = new Set<Listener>();
  /** While anybody listens. */
  private run: Run | undefined;
  private isOver = false;

  constructor(
    private readonly db: DataSource,
    private readonly log: PinoLogger,
  ) {}

  onModuleDestroy(): void {
    this.isOver = true;
    for (const listener of this.listeners) listener.end();
    this.listeners.clear();
    this.stop();
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
    this.listeners.add(listener);
    try {
      this.run ??= this.start();
      const { run } = this;
      await run.begun;
      // Before the caller reads: what changes between the two is told.
      await this.see(run, listener.cases);
    } catch (error) {
      this.leave(listener);
      throw error;
    }
    return () => this.leave(listener);
  }

  private leave(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size === 0) this.stop();
  }

  private start(): Run {
    const run: Run = {
      begun: Promise.resolve(),
      timer: undefined,
      place: 0,
      known: new Set(),
      seen: new Map(),
      found: [],
    };
    run.begun = this.begin(run).catch((error: unknown) => {
      // Whoever listens next begins anew.
      if (this.run === run) this.run = undefined;
      throw error;
    });
    return run;
  }

  private stop(): void {
    clearTimeout(this.run?.timer);
    this.run = undefined;
  }

  private async begin(run: Run): Promise<void> {
    const [log] = await queryRows<{ size: number }>(this.db, `SELECT size FROM audit_log`);
    run.place = log?.size ?? 0;
    for (const { id } of await this.entries(run)) run.known.add(id);
    this.goOn(run);
  }

  /** A run that was stopped while it looked isn't gone on with. */
  private goOn(run: Run): void {
    if (this.run !== run || this.isOver) return;
    run.timer = setTimeout(() => {
      this.look(run)
        // A database that is away is told by every answer; the next look tells what this one couldn't.
        .catch((error: unknown) => this.log.warn({ err: error }, 'what changed could not be looked for'))
        .finally(() => this.goOn(run));
    }, EVERY);
  }

  private async look(run: Run): Promise<void> {
    run.found.push(...(await this.decided(run)));
    run.found.push(...(await this.moved(run)));
    if (run.found.length === 0) return;
    await Promise.all([...this.listeners].map((listener) => this.tell(listener, run.found)));
    run.found = [];
  }

  /** What was decided since the last look. */
  private async decided(run: Run): Promise<Change[]> {
    const entries = await this.entries(run);
    const fresh = entries.filter(({ id }) => !run.known.has(id));
    for (const { id, place } of entries) {
      if (place === null) {
        run.known.add(id);
        continue;
      }
      run.known.delete(id);
      run.place = Math.max(run.place, place + 1);
    }
    return changesIn(fresh);
  }

  /** Without a place, or with one after the last that was looked at: a place is given once and in order, an id isn't. */
  private entries({ place }: Run): Promise<(ToldEntry & { id: string; place: number | null })[]> {
    const columns = `id, leaf_index AS place, subject_kind AS "subjectKind", subject_id AS "subjectId", case_id AS "caseId"`;
    return queryRows(
      this.db,
      `(SELECT ${columns} FROM audit_entries WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT ${MOST_ENTRIES})
       UNION ALL (SELECT ${columns} FROM audit_entries WHERE leaf_index IS NULL ORDER BY at DESC, id DESC LIMIT ${MOST_ENTRIES})`,
      [place],
    );
  }

  /** The cases that somebody looks at, among them those that aren't as they were at the last look. */
  private async moved({ seen }: Run): Promise<Change[]> {
    const watched = new Set([...this.listeners].flatMap(({ cases }) => cases));
    for (const id of seen.keys()) if (!watched.has(id)) seen.delete(id);
    const likenesses = await this.likenesses([...watched]);
    const moved = likenesses.filter(({ id, likeness }) => (seen.get(id) ?? likeness) !== likeness);
    for (const { id, likeness } of likenesses) seen.set(id, likeness);
    return moved.map(({ id }) => ({ kind: 'case', id }));
  }

  /** Looks at cases for the first time. What others look at already stays as it was seen: they weren't told yet. */
  private async see({ seen }: Run, ids: readonly string[]): Promise<void> {
    const likenesses = await this.likenesses(ids.filter((id) => !seen.has(id)));
    for (const { id, likeness } of likenesses) if (!seen.has(id)) seen.set(id, likeness);
  }

  private async likenesses(ids: readonly string[]): Promise<{ id: string; likeness: string }[]> {
    if (ids.length === 0) return [];
    return queryRows(
      this.db,
      `SELECT c.id, md5(c.state || coalesce(string_agg(
           concat_ws(' ', s.id, s.state, s.attempts, s.failures, s.fence, s.residual_until, s.owner, s.reason, s.attested_at),
           ';' ORDER BY s.position, s.id), '')) AS likeness
       FROM cases c LEFT JOIN steps s ON s.case_id = c.id WHERE c.id = ANY($1) GROUP BY c.id, c.state`,
      [ids],
    );
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
