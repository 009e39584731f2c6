import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import type { AccessPolicy } from './access-policy-schema.js';
import { parsePolicy, type PolicyMistake } from './parse-policy.js';
import { PolicyVersion } from './policy-version.entity.js';

export type LoadedPolicy =
  | { outcome: 'no-file' }
  /** This very file is active already. */
  | { outcome: 'unchanged'; version: PolicyVersion }
  | { outcome: 'activated'; version: PolicyVersion }
  /** What was active before still is. */
  | { outcome: 'refused'; mistakes: readonly PolicyMistake[] };

/** Any fixed number: held while a version is activated, so that processes that start together activate it once. */
const ACTIVATION_LOCK = 7_154_882_020;

/** The only writer of `policy_versions`. */
@Injectable()
export class AccessPolicyService {
  private readonly log = new Logger(AccessPolicyService.name);
  private lastActive: PolicyVersion | undefined;

  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /**
   * Loads the configured file, for the composition root to call when a process starts. A file that can't be read or
   * has mistakes never throws and never replaces a good one: the log tells its mistakes, and so does the answer.
   */
  async loadFile(actor: Actor = SYSTEM): Promise<LoadedPolicy> {
    const file = this.config.accessPolicyFile;
    if (!file) return { outcome: 'no-file' };
    const text = await readFile(file, 'utf8').catch((error: unknown) => asError(error));
    const loaded: LoadedPolicy =
      text instanceof Error
        ? {
            outcome: 'refused',
            mistakes: [{ line: 1, column: 1, message: `The file can’t be read: ${text.message}.` }],
          }
        : await inTransaction(this.db, (tx) => this.activate(tx, actor, text, basename(file)));
    if (loaded.outcome === 'refused') {
      for (const { line, column, message } of loaded.mistakes) this.log.error(`${file}:${line}:${column} ${message}`);
      this.log.error(`${file} was not loaded; the access policy stays what it was.`);
    }
    if (loaded.outcome === 'activated') this.log.log(`${file} is the access policy now (${loaded.version.digest}).`);
    return loaded;
  }

  /** Makes this text the policy, unless it has mistakes or is the policy already. An earlier version may come back. */
  async activate(tx: EntityManager, actor: Actor, text: string, source: string): Promise<LoadedPolicy> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [ACTIVATION_LOCK]);
    const digest = `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
    const before = await this.active(tx);
    // Looked at first: a tool that was retired since must not turn the policy that stands into a mistake.
    if (before?.digest === digest) return { outcome: 'unchanged', version: before };
    const { policy, mistakes } = await this.read(tx, text);
    if (!policy) return { outcome: 'refused', mistakes };
    const version = await this.replace(tx, actor, before, { digest, source, policy });
    return { outcome: 'activated', version };
  }

  /** What is wrong with a policy, all of it; nothing is stored. */
  async check(tx: EntityManager, text: string): Promise<readonly PolicyMistake[]> {
    return (await this.read(tx, text)).mistakes;
  }

  /** The version that counts now; null: none was ever loaded, and nobody gets anything. */
  async active(tx: EntityManager): Promise<PolicyVersion | null> {
    const [now] = await queryRows<{ id: string; activatedAt: Date }>(
      tx,
      prepared(`SELECT id, activated_at AS "activatedAt" FROM policy_versions WHERE active`),
    );
    if (!now) return null;
    // Documents are large and never change: one that was read before isn't read again.
    const isKnown =
      this.lastActive?.id === now.id && this.lastActive.activatedAt.getTime() === now.activatedAt.getTime();
    this.lastActive = (isKnown && this.lastActive) || (await this.get(tx, now.id));
    return this.lastActive;
  }

  /** As `active`, for decisions that need a policy. @throws Problem as `required` does */
  async current(tx: EntityManager): Promise<PolicyVersion> {
    return required(await this.active(tx));
  }

  /** A version that a case was planned with. */
  async get(tx: EntityManager, id: string): Promise<PolicyVersion> {
    return tx.findOneByOrFail(PolicyVersion, { id });
  }

  private async read(tx: EntityManager, text: string): Promise<ReturnType<typeof parsePolicy>> {
    const tools = await queryRows<{ key: string }>(tx, `SELECT key FROM tools WHERE state <> 'retired' ORDER BY key`);
    // The first start of all comes before the first tool: then the names can't be checked yet.
    return parsePolicy(text, tools.length === 0 ? null : tools.map(({ key }) => key));
  }

  private async replace(
    tx: EntityManager,
    actor: Actor,
    before: PolicyVersion | null,
    { digest, source, policy }: { digest: string; source: string; policy: AccessPolicy },
  ): Promise<PolicyVersion> {
    if (before) await tx.update(PolicyVersion, { id: before.id }, { active: false });
    const earlier = await tx.findOneBy(PolicyVersion, { digest });
    const activation = { active: true, activatedAt: () => 'now()', activatedBy: actor.name };
    const id = earlier?.id ?? newId();
    if (earlier) await tx.update(PolicyVersion, { id }, activation);
    else await tx.insert(PolicyVersion, { id, digest, source, document: policy, ...activation });
    await this.audit.record(tx, actor, 'access-policy.activated', {
      subject: { kind: 'policy-version', id },
      facts: { digest, source, before: before?.digest ?? null },
    });
    return tx.findOneByOrFail(PolicyVersion, { id });
  }
}

/** @throws Problem `not-set-up` when none was ever loaded: an HR system tries again later */
export function required(version: PolicyVersion | null): PolicyVersion {
  if (version) return version;
  throw new Problem(
    'not-set-up',
    'There is no access policy yet. Name its file in ACCESS_POLICY_FILE and start again.',
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
