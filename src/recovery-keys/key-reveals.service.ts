import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget } from '../approvals/approvals.service.js';
import { BrakeLimits } from '../brakes/brake-limits.service.js';
import { AlertsService } from '../cases/alerts.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { isSamePerson, type Somebody } from '../platform/sign-in/somebody.js';
import { WhoIsWho } from '../platform/sign-in/who-is-who.service.js';
import { RecoveryKeyReveal } from './recovery-key-reveal.entity.js';
import { RecoveryKeysService, type KnownKey, type ReadKey } from './recovery-keys.service.js';

const ACT = 'recovery-keys.read';

/** Devices that an alert names; of more it tells the number. */
const NAMED = 10;

const RevealWish = z.object({ keys: z.array(z.uuid()).min(1) });

/** One person alone reads a few recovery keys within a day; more of them only with another person's approval. */
@Injectable()
export class KeyReveals implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly keys: RecoveryKeysService,
    private readonly limits: BrakeLimits,
    private readonly approvals: Approvals,
    private readonly whoIsWho: WhoIsWho,
    private readonly alerts: AlertsService,
  ) {}

  onModuleInit(): void {
    this.approvals.bind(ACT, {
      plan: async (tx, target) => planOf(await this.keys.known(tx, keysIn(target))),
      // The approval alone reveals nothing: who asked comes and reads them.
      carryOut: () => Promise.resolve(),
    });
  }

  /** @throws Problem `not-found`; `forbidden` beyond the limit; `not-set-up` in a process that can't open them */
  async readAlone(actor: Actor, deviceId: string, keyId: string, reason: string): Promise<string> {
    return inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'held device', deviceId);
      const [known] = await this.keys.known(tx, [keyId]);
      if (known?.deviceId !== deviceId) throw new Problem('not-found', 'This device has no such recovery key.');
      await this.refuseMore(tx, actor, keyId);
      const [read] = await this.read(tx, actor, [known], { reason });
      if (!read) throw new Error('a key that is known is read');
      return read.key;
    });
  }

  /** Asks another person to let exactly these keys be read. @throws Problem `not-found`; as `Approvals.request` */
  async request(actor: Actor, keyIds: readonly string[], reason: string): Promise<Approval> {
    const keys = [...new Set(keyIds)].toSorted();
    for (const { deviceId } of await this.keys.known(this.db.manager, keys)) {
      await requireWithin(this.db.manager, actor, 'held device', deviceId);
    }
    return this.approvals.request(ACT, { id: newId(), wish: { keys } }, reason, actor);
  }

  /** Once, by who asked. @throws Problem as `Approvals.given`; `conflict` the second time; `not-set-up` */
  async readApproved(actor: Actor, approvalId: string): Promise<ReadKey[]> {
    return inTransaction(this.db, async (tx) => {
      const { reason, ...target } = await this.approvals.given(tx, ACT, approvalId, actor);
      if (await tx.existsBy(RecoveryKeyReveal, { approvalId })) {
        throw new Problem('conflict', 'These keys were read before; an approval counts once. Request it anew.');
      }
      const keys = await this.keys.known(tx, keysIn(target));
      for (const { deviceId } of keys) await requireWithin(tx, actor, 'held device', deviceId);
      return this.read(tx, actor, keys, { reason, approvalId });
    });
  }

  private async read(
    tx: EntityManager,
    actor: Actor,
    keys: readonly KnownKey[],
    why: { reason: string; approvalId?: string },
  ): Promise<ReadKey[]> {
    const read = await this.keys.read(tx, actor, keys, why);
    await this.tell(tx, actor, keys);
    return read;
  }

  /** One reader after the other, so that nobody reads two last keys at once. */
  private async refuseMore(tx: EntityManager, actor: Actor, keyId: string): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('recovery key reveals', 1))`);
    const { atLeast } = await this.limits.of(tx, 'reveals');
    const read = await this.readAloneBy(tx, await this.whoIsWho.of(tx, actor));
    if (read.add(keyId).size <= atLeast) return;
    throw new Problem(
      'forbidden',
      `One person reads ${atLeast} recovery keys within 24 hours. For more, name them all to POST /v1/recovery-key-reveals, and have another person approve it.`,
    );
  }

  /** Which keys this person read within the last day without anybody's approval, by whichever sign-in or token. */
  private async readAloneBy(tx: EntityManager, who: Somebody): Promise<Set<string>> {
    const reveals = await queryRows<{ id: string; name: string; keys: string[] }>(
      tx,
      `SELECT COALESCE(revealed_by_id, '') AS id, revealed_by AS name, array_agg(recovery_key_id::text) AS keys
       FROM recovery_key_reveals WHERE approval_id IS NULL AND revealed_at > now() - interval '24 hours' GROUP BY 1, 2`,
    );
    const theirs = new Set<string>();
    for (const { id, name, keys } of reveals) {
      if (!isOneReader(who, await this.whoIsWho.of(tx, { id, name }))) continue;
      for (const key of keys) theirs.add(key);
    }
    return theirs;
  }

  /** Alert channels reach who is on call and nobody else: the message says whom they have to tell. */
  private async tell(tx: EntityManager, { name }: Actor, keys: readonly KnownKey[]): Promise<void> {
    const devices = keys.map(({ assetTag, holder }) => `${assetTag} of ${holder?.corporateEmail ?? 'nobody'}`);
    const named = devices.slice(0, NAMED).join(', ');
    const others = devices.length > NAMED ? ` and ${devices.length - NAMED} more` : '';
    await this.alerts.raise(tx, {
      dedupKey: `recovery_key_read:${newId()}`,
      kind: 'recovery_key_read',
      severity: 'warning',
      owner: 'security',
      message: `${name} read ${keys.length} recovery key(s): ${named}${others}. Tell the holders. Each key is to be replaced.`,
    });
  }
}

/** Tokens that are nobody's are one reader together: another one is soon made. */
function isOneReader(one: Somebody, other: Somebody): boolean {
  return isSamePerson(one, other) || (!one.isPerson && !other.isPerson);
}

function planOf(keys: readonly KnownKey[]): ActPlan {
  const holders = new Map(keys.flatMap(({ holder }) => (holder ? [[holder.id, holder] as const] : [])));
  const devices = new Set(keys.map(({ deviceId }) => deviceId));
  return {
    summary: `shows ${keys.length} recovery keys of ${devices.size} devices to who asks`,
    about: { people: [...holders.values()], principals: [] },
    plan: {
      keys: keys.map(({ id, deviceId, assetTag, protects, holder }) => ({
        id,
        deviceId,
        assetTag,
        protects,
        holderId: holder?.id ?? null,
      })),
    },
  };
}

function keysIn({ wish }: ActTarget): string[] {
  return RevealWish.parse(wish).keys;
}
