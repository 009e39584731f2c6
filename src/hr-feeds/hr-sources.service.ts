import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { HrSource } from './hr-source.entity.js';

const SECRETS_AT_ONCE = 2;

export const HR_SOURCE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const HR_SOURCE_NAME_MEANS = "A source's name has 1 to 63 lower-case letters, digits and hyphens.";

export interface HrSourceSeen {
  name: string;
  /** Those that count, the older one first. */
  secrets: { id: string; since: Date }[];
  /** When its newest event came, however that ended; null: none did yet. */
  lastEventAt: Date | null;
}

/** HR systems that may post events, and the secrets that they sign with. */
@Injectable()
export class HrSourcesService {
  constructor(
    private readonly db: DataSource,
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
  ) {}

  /**
   * Adds a source. Answers its first secret (`whsec_…`), this once.
   * @throws Problem `conflict` when there is one of this name
   */
  async add(name: string, actor: Actor): Promise<string> {
    return this.decide(name, async (tx, source) => {
      if (source) throw taken(name);
      return this.giveSecret(tx, actor, name, source);
    });
  }

  /**
   * Gives a source a further secret: the older of two stops counting when a third is made. Answers the new one, this once.
   * @throws Problem `not-found`
   */
  async addFurtherSecret(name: string, actor: Actor): Promise<string> {
    return this.decide(name, async (tx, source) => {
      if (!source) throw unknown(name);
      return this.giveSecret(tx, actor, name, source);
    });
  }

  /** Adds a source, or a further secret to one that exists. Answers the new secret, this once. */
  async addSecret(name: string, actor: Actor): Promise<string> {
    return this.decide(name, (tx, source) => this.giveSecret(tx, actor, name, source));
  }

  /**
   * One of two secrets counts no more, from the next request on.
   * @throws Problem `not-found`; `conflict` for the only one: nothing that the source posts would be taken then
   */
  async dropSecret(name: string, secretId: string, actor: Actor): Promise<void> {
    await this.decide(name, async (tx, source) => {
      if (!source) throw unknown(name);
      const secretIds = source.secretIds.filter((id) => id !== secretId);
      if (secretIds.length === source.secretIds.length) {
        throw new Problem('not-found', `The source “${name}” has no such secret, or it was taken out of use before.`);
      }
      if (secretIds.length === 0) {
        throw new Problem(
          'conflict',
          `It is the only secret of “${name}”. Add a further one first, and give it to HR.`,
        );
      }
      await tx.update(HrSource, { name }, { secretIds });
      await this.vault.destroy(tx, secretId);
      await this.audit.record(tx, actor, 'hr-source.secret-dropped', {
        subject: { kind: 'hr-source', id: name },
        facts: { secretId },
      });
    });
  }

  /**
   * What a request of this source is checked against: its secrets, and the time by the database's clock. No secrets for a
   * source that nobody set up: no signature matches then.
   */
  async credentialsOf(name: string): Promise<{ secrets: readonly string[]; now: Date }> {
    return this.vault.openSelected(this.db.manager, `SELECT unnest(secret_ids) FROM hr_sources WHERE name = $1`, [
      name,
    ]);
  }

  /** By name. */
  async list(): Promise<HrSourceSeen[]> {
    const rows = await queryRows<{ name: string; lastEventAt: Date | null; id: string; since: Date }>(
      this.db,
      `SELECT s.name, newest.at AS "lastEventAt", k.id, k.created_at AS since
       FROM hr_sources s
       LEFT JOIN LATERAL (
         SELECT received_at AS at FROM inbox_events WHERE source = s.name ORDER BY received_at DESC LIMIT 1) newest ON true
       CROSS JOIN LATERAL unnest(s.secret_ids) WITH ORDINALITY AS own (id, place)
       JOIN secrets k ON k.id = own.id
       ORDER BY s.name, own.place`,
    );
    const sources = new Map<string, HrSourceSeen>();
    for (const { name, lastEventAt, id, since } of rows) {
      const source = sources.get(name) ?? { name, lastEventAt, secrets: [] };
      source.secrets.push({ id, since });
      sources.set(name, source);
    }
    return [...sources.values()];
  }

  /** @param act gets the source, locked, or null when there is none */
  private async decide<T>(name: string, act: (tx: EntityManager, source: HrSource | null) => Promise<T>): Promise<T> {
    if (!HR_SOURCE_NAME.test(name)) throw new Problem('invalid-request', HR_SOURCE_NAME_MEANS);
    return inTransaction(this.db, async (tx) =>
      act(tx, await tx.findOne(HrSource, { where: { name }, lock: { mode: 'pessimistic_write' } })),
    );
  }

  private async giveSecret(tx: EntityManager, actor: Actor, name: string, source: HrSource | null): Promise<string> {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const secretId = await this.vault.seal(tx, 'hr-source', secret);
    const secretIds = [...(source?.secretIds ?? []), secretId];
    const ended = secretIds.splice(0, Math.max(0, secretIds.length - SECRETS_AT_ONCE));
    if (source) await tx.update(HrSource, { name }, { secretIds });
    else await insertNew(tx, name, secretIds);
    for (const id of ended) await this.vault.destroy(tx, id);
    await this.audit.record(tx, actor, 'hr-source.secret-added', {
      subject: { kind: 'hr-source', id: name },
      facts: { secretId, ended },
    });
    return secret;
  }
}

/** @throws Problem `conflict` when somebody else adds it at this moment */
async function insertNew(tx: EntityManager, name: string, secretIds: readonly string[]): Promise<void> {
  const added = await queryRows(
    tx,
    `INSERT INTO hr_sources (name, secret_ids) VALUES ($1, $2::uuid[]) ON CONFLICT (name) DO NOTHING RETURNING name`,
    [name, secretIds],
  );
  if (added.length === 0) throw taken(name);
}

function taken(name: string): Problem {
  return new Problem(
    'conflict',
    `There is a source “${name}” already. Take another name, or give that one a further secret.`,
  );
}

function unknown(name: string): Problem {
  return new Problem('not-found', `There is no HR source “${name}”.`);
}
