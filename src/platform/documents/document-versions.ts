import { createHash } from 'node:crypto';
import type { EntityManager, EntityTarget } from 'typeorm';
import type { AuditService } from '../audit/audit.service.js';
import { prepared } from '../database/prepared.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import type { Actor } from '../sign-in/actor.js';
import type { Mistake, ReadDocument } from './read-document.js';

/** A document as it was at a time. Exactly one version is active, for all processes together. */
export interface DocumentVersion {
  id: string;
  /** `sha256:<hex>` of the file's bytes. */
  digest: string;
  /** The file's name, for a reader. */
  source: string;
  document: object;
  active: boolean;
  activatedAt: Date;
  activatedBy: string;
}

export type Activated<Version> =
  /** This very file is active already. */
  | { outcome: 'unchanged'; version: Version }
  | { outcome: 'activated'; version: Version }
  /** What was active before still is. */
  | { outcome: 'refused'; mistakes: readonly Mistake[] };

export interface KindOfVersions<Version> {
  entity: EntityTarget<Version>;
  table: string;
  /** Any fixed number: held while a version is activated, so that processes that start together activate it once. */
  lock: number;
  audit: { act: string; subject: string };
}

/** Files that people review, kept in versions of which one counts. The only writer of the table it is made for. */
export class DocumentVersions<Version extends DocumentVersion> {
  private lastActive: Version | undefined;

  constructor(
    private readonly kind: KindOfVersions<Version>,
    private readonly audit: AuditService,
  ) {}

  /** Makes this text count, unless it has mistakes or counts already. An earlier version may come back. */
  async activate(
    tx: EntityManager,
    actor: Actor,
    { text, source }: { text: string; source: string },
    read: () => Promise<ReadDocument<Version['document']>>,
  ): Promise<Activated<Version>> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [this.kind.lock]);
    const digest = `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
    const before = await this.active(tx);
    // Looked at first: what was retired since must not turn the version that stands into a mistake.
    if (before?.digest === digest) return { outcome: 'unchanged', version: before };
    const { document, mistakes } = await read();
    if (document === null) return { outcome: 'refused', mistakes };
    const version = await this.replace(tx, actor, before, { digest, source, document });
    return { outcome: 'activated', version };
  }

  /** The version that counts now; null: none was ever activated. */
  async active(tx: EntityManager): Promise<Version | null> {
    const [now] = await queryRows<{ id: string; activatedAt: Date }>(
      tx,
      prepared(`SELECT id, activated_at AS "activatedAt" FROM ${this.kind.table} WHERE active`),
    );
    if (!now) return null;
    // Documents are large and never change: one that was read before isn't read again.
    const isKnown =
      this.lastActive?.id === now.id && this.lastActive.activatedAt.getTime() === now.activatedAt.getTime();
    this.lastActive = (isKnown && this.lastActive) || (await this.get(tx, now.id));
    return this.lastActive;
  }

  /** One that something was planned with. */
  async get(tx: EntityManager, id: string): Promise<Version> {
    return tx
      .getRepository<Version>(this.kind.entity)
      .createQueryBuilder('v')
      .where('v.id = :id', { id })
      .getOneOrFail();
  }

  private async replace(
    tx: EntityManager,
    actor: Actor,
    before: Version | null,
    { digest, source, document }: { digest: string; source: string; document: object },
  ): Promise<Version> {
    const { table, audit } = this.kind;
    if (before) await tx.query(`UPDATE ${table} SET active = false WHERE id = $1`, [before.id]);
    const [row] = await queryRows<{ id: string }>(
      tx,
      `INSERT INTO ${table} (id, digest, source, document, active, activated_by) VALUES ($1, $2, $3, $4, true, $5)
       ON CONFLICT (digest) DO UPDATE SET active = true, activated_at = now(), activated_by = $5 RETURNING id`,
      [newId(), digest, source, document, actor.name],
    );
    if (!row) throw new Error(`no version of ${table} was written`);
    await this.audit.record(tx, actor, audit.act, {
      subject: { kind: audit.subject, id: row.id },
      facts: { digest, source, before: before?.digest ?? null },
    });
    return this.get(tx, row.id);
  }
}
