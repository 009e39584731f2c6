import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import canonicalize from 'canonicalize';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuditService } from '../platform/audit/audit.service.js';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { databaseNow } from '../platform/database/database-now.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { Somebody } from '../platform/sign-in/somebody.js';
import { WhoIsWho } from '../platform/sign-in/who-is-who.service.js';
import { Approval, type ApprovalAct } from './approval.entity.js';
import { NOBODY, VALID_MS, whyNotDecided, whyNotDone, type Refusal, type Subjects } from './may-decide.js';

const About = z.object({
  people: z.array(z.object({ id: z.uuid(), corporateEmail: z.string() })),
  principals: z.array(z.string()),
}) satisfies z.ZodType<Subjects>;

const Wish = z.record(z.string(), z.unknown()).optional();

/** What an act would do now. Two plans are the same when their canonical JSON is. */
export interface ActPlan {
  /** In a sentence, with how many it is about. */
  summary: string;
  about: Subjects;
  /** Each target and each step: text, whole numbers, booleans, lists and objects. */
  plan: Record<string, unknown>;
}

/** What an act is done to. */
export interface ActTarget {
  id: string;
  /** What is wished of it, as JSON, where the database doesn't say that already. */
  wish?: Record<string, unknown> | undefined;
}

/** An approval that was just given, in the transaction that carries its act out. */
export interface Approved {
  approvalId: string;
  planHash: string;
  requestedBy: string;
  requestedById: string;
  reason: string;
}

/** An act that takes two people, as the feature that carries it out binds it. */
export interface BoundAct {
  /** What would happen if it were carried out now. @throws Problem `not-found`, `conflict` when there is nothing to do */
  plan(tx: EntityManager, target: ActTarget): Promise<ActPlan>;
  /** Carries it out, in the transaction of the approval. */
  carryOut(tx: EntityManager, target: ActTarget, approved: Approved, actor: Actor): Promise<void>;
}

/** Acts that one person requests and another one approves: bound to the hash of exactly one plan, used once. */
@Injectable()
export class Approvals {
  private readonly acts = new Map<ApprovalAct, BoundAct>();

  constructor(
    private readonly db: DataSource,
    private readonly key: InstallationKey,
    private readonly audit: AuditService,
    private readonly whoIsWho: WhoIsWho,
  ) {}

  /** Called once, when the application starts, by the feature that carries the act out. */
  bind(act: ApprovalAct, bound: BoundAct): void {
    this.acts.set(act, bound);
  }

  /** @throws Problem what the act's plan throws; `forbidden` for a token that is nobody's */
  async request(act: ApprovalAct, target: ActTarget, reason: string, actor: Actor): Promise<Approval> {
    return inTransaction(this.db, async (tx) => {
      const { isPerson } = await this.whoIsWho.of(tx, actor);
      if (!isPerson) throw new Problem('forbidden', NOBODY);
      const planned = await this.bound(act).plan(tx, target);
      const content = contentOf(planned, target);
      const targetId = target.id;
      const planHash = hashOf(content);
      const id = newId();
      const expiresAt = new Date((await databaseNow(tx)).getTime() + VALID_MS);
      const sealed = { id, act, targetId, planHash, requestedById: actor.id, requestedBy: actor.name, expiresAt };
      await tx.insert(Approval, {
        ...sealed,
        summary: planned.summary,
        // TypeORM's partial types can't express `unknown` inside a JSON column.
        plan: content as object,
        seal: this.sealOf(sealed),
        reason,
      });
      await this.audit.record(tx, actor, 'approval.requested', {
        subject: { kind: 'approval', id },
        facts: { act, targetId, planHash },
        reason,
        approvalId: id,
      });
      return tx.findOneByOrFail(Approval, { id });
    });
  }

  /**
   * Carries the act out, if what would happen is still exactly what was requested.
   *
   * @throws Problem `not-found`; `forbidden` for the requester and the subjects; `gone` after 30 minutes; `conflict`
   * when it was decided before or something else would happen now
   */
  async approve(id: string, note: string | undefined, actor: Actor): Promise<Approval> {
    return inTransaction(this.db, async (tx) => {
      const approval = await this.lock(tx, id, actor);
      const { act, planHash, requestedBy, requestedById, reason } = approval;
      const target = await this.unchanged(tx, approval);
      await this.decide(tx, approval, 'approved', note, actor);
      await this.bound(act).carryOut(
        tx,
        target,
        { approvalId: id, planHash, requestedBy, requestedById, reason },
        actor,
      );
      return tx.findOneByOrFail(Approval, { id });
    });
  }

  /** @throws Problem as `approve`, but for the plan: a refusal needs no second look */
  async refuse(id: string, note: string | undefined, actor: Actor): Promise<Approval> {
    return inTransaction(this.db, async (tx) => {
      await this.decide(tx, await this.lock(tx, id, actor), 'refused', note, actor);
      return tx.findOneByOrFail(Approval, { id });
    });
  }

  /**
   * What was approved, for an act that who asked for it does by themselves. Locked: whoever comes second waits.
   *
   * @throws Problem `not-found`; `forbidden` for anybody else; `gone` after 30 minutes; `conflict` when nobody has
   * approved it, or something else would happen now
   */
  async given(tx: EntityManager, act: ApprovalAct, id: string, actor: Actor): Promise<ActTarget & Approved> {
    const approval = await this.unedited(tx, id, actor);
    const { planHash, requestedBy, requestedById, reason } = approval;
    if (approval.act !== act) throw notFound();
    insist(whyNotDone(approval, actor.id, await databaseNow(tx)));
    if (!sameText(approval.decisionSeal ?? '', this.decisionSealOf(approval))) throw edited();
    const target = await this.unchanged(tx, approval);
    return { ...target, approvalId: id, planHash, requestedBy, requestedById, reason };
  }

  async list(
    actor: Actor,
    filter: { state?: Approval['state'] | undefined; targetId?: string | undefined },
    page: { before: string | null; limit: number },
  ): Promise<Approval[]> {
    const query = this.db.manager.createQueryBuilder(Approval, 'a').orderBy('a.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'approval');
    if (page.before) query.andWhere('a.id < :before', { before: page.before });
    if (filter.state) query.andWhere('a.state = :state', { state: filter.state });
    if (filter.targetId) query.andWhere('a.target_id = :targetId', { targetId: filter.targetId });
    return query.getMany();
  }

  /** The ids of those that this actor may decide about now, as the second person; what their roles say stands apart. */
  async decidable(actor: Actor, approvals: readonly Approval[]): Promise<ReadonlySet<string>> {
    const tx = this.db.manager;
    const [who, now] = [await this.whoIsWho.of(tx, actor), await databaseNow(tx)];
    const decidable = new Set<string>();
    for (const approval of approvals) {
      // One that was edited past the service is refused when somebody decides.
      const { data: about } = About.safeParse(approval.plan['about']);
      if (approval.state !== 'waiting' || approval.expiresAt <= now || !about) continue;
      const { state, expiresAt } = approval;
      const request = { state, expiresAt, about, requestedBy: await this.requesterOf(tx, approval) };
      if (whyNotDecided(request, who, now) === null) decidable.add(approval.id);
    }
    return decidable;
  }

  /** @throws Problem `not-found` */
  async get(actor: Actor, id: string): Promise<Approval> {
    await requireWithin(this.db.manager, actor, 'approval', id);
    return found(await this.db.manager.findOneBy(Approval, { id }));
  }

  private bound(act: ApprovalAct): BoundAct {
    const bound = this.acts.get(act);
    if (!bound) throw new Error(`nothing carries out ${act}`);
    return bound;
  }

  /** To be decided by this actor. Whoever comes second waits here, and finds it decided. */
  private async lock(tx: EntityManager, id: string, actor: Actor): Promise<Approval> {
    const approval = await this.unedited(tx, id, actor);
    const { state, expiresAt, plan } = approval;
    const requestedBy = await this.requesterOf(tx, approval);
    const request = { state, expiresAt, about: About.parse(plan['about']), requestedBy };
    insist(whyNotDecided(request, await this.whoIsWho.of(tx, actor), await databaseNow(tx)));
    return approval;
  }

  private requesterOf(tx: EntityManager, { requestedBy: name, requestedById: id }: Approval): Promise<Somebody> {
    return this.whoIsWho.of(tx, { id, name });
  }

  /** Locked, and as it was requested. */
  private async unedited(tx: EntityManager, id: string, actor: Actor): Promise<Approval> {
    await requireWithin(tx, actor, 'approval', id);
    const approval = found(await tx.findOne(Approval, { where: { id }, lock: { mode: 'pessimistic_write' } }));
    const { seal, plan, planHash } = approval;
    if (!sameText(seal, this.sealOf(approval)) || hashOf(plan) !== planHash) throw edited();
    return approval;
  }

  /** What it is done to, when what would happen now is still exactly what was requested. */
  private async unchanged(tx: EntityManager, { act, targetId, plan, planHash }: Approval): Promise<ActTarget> {
    const target = { id: targetId, wish: Wish.parse(plan['wish']) };
    if (hashOf(contentOf(await this.bound(act).plan(tx, target), target)) === planHash) return target;
    throw new Problem(
      'conflict',
      'What would happen now isn’t what was requested: people or steps have changed. Look again, and request it anew.',
    );
  }

  private async decide(
    tx: EntityManager,
    { id, act, targetId, planHash, requestedById }: Approval,
    state: 'approved' | 'refused',
    note: string | undefined,
    actor: Actor,
  ): Promise<void> {
    const decision = { state, decidedById: actor.id, decidedAt: await databaseNow(tx) };
    const decisionSeal = this.decisionSealOf({ id, planHash, ...decision });
    await tx.update(Approval, { id }, { ...decision, decisionSeal, decidedBy: actor.name, note: note ?? null });
    await this.audit.record(tx, actor, `approval.${state}`, {
      subject: { kind: 'approval', id },
      facts: { act, targetId, planHash, requestedById },
      approvalId: id,
      ...(note !== undefined && { reason: note }),
    });
  }

  private sealOf(
    of: Pick<Approval, 'id' | 'act' | 'targetId' | 'planHash' | 'requestedById' | 'requestedBy' | 'expiresAt'>,
  ): string {
    const { id, act, targetId, planHash, requestedById, requestedBy } = of;
    const expiresAt = of.expiresAt.toISOString();
    const content = canonicalJson({ id, act, targetId, planHash, requestedById, requestedBy, expiresAt });
    return this.key.mac('approval', Buffer.from(content, 'utf8')).toString('hex');
  }

  private decisionSealOf(of: Pick<Approval, 'id' | 'planHash' | 'state' | 'decidedById' | 'decidedAt'>): string {
    const { id, planHash, state, decidedById } = of;
    const decidedAt = of.decidedAt?.toISOString() ?? null;
    const content = canonicalJson({ id, planHash, state, decidedById, decidedAt });
    return this.key.mac('approval-decision', Buffer.from(content, 'utf8')).toString('hex');
  }
}

/** The same content has the same bytes, and so the same hash, whatever order the database gives its fields (RFC 8785). */
function canonicalJson(content: object): string {
  const text = canonicalize(content);
  if (text === undefined) throw new Error('a plan has a canonical form');
  return text;
}

function hashOf(plan: Record<string, unknown>): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex');
}

/** Everything that is bound by the hash. */
function contentOf({ about: { people, principals }, plan }: ActPlan, { wish }: ActTarget): Record<string, unknown> {
  const inOrder = people.map(({ id, corporateEmail }) => ({ id, corporateEmail })).toSorted(byId);
  return { ...plan, about: { people: inOrder, principals: [...principals].toSorted() }, ...(wish && { wish }) };
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}

function sameText(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function insist(refusal: Refusal | null): void {
  if (refusal) throw new Problem(refusal.kind, refusal.because);
}

function edited(): Problem {
  return new Problem('conflict', 'This request was changed in the database, past the service. Request it anew.');
}

function notFound(): Problem {
  return new Problem('not-found', 'There is no approval with this id.');
}

function found(approval: Approval | null): Approval {
  if (!approval) throw notFound();
  return approval;
}
