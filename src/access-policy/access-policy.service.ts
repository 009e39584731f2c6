import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { DocumentVersions, type Activated } from '../platform/documents/document-versions.js';
import type { Mistake, ReadDocument } from '../platform/documents/read-document.js';
import { Problem } from '../platform/errors/problem.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import type { AccessPolicy } from './access-policy-schema.js';
import { parsePolicy } from './parse-policy.js';
import { PolicyVersion } from './policy-version.entity.js';

export type LoadedPolicy = { outcome: 'no-file' } | Activated<PolicyVersion>;

@Injectable()
export class AccessPolicyService {
  private readonly log = new Logger(AccessPolicyService.name);
  private readonly versions: DocumentVersions<PolicyVersion>;

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    audit: AuditService,
  ) {
    this.versions = new DocumentVersions(
      {
        entity: PolicyVersion,
        table: 'policy_versions',
        lock: 7_154_882_020,
        audit: { act: 'access-policy.activated', subject: 'policy-version' },
      },
      audit,
    );
  }

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
  async activate(tx: EntityManager, actor: Actor, text: string, source: string): Promise<Activated<PolicyVersion>> {
    return this.versions.activate(tx, actor, { text, source }, () => this.read(tx, text));
  }

  /** What is wrong with a policy, all of it; nothing is stored. */
  async check(tx: EntityManager, text: string): Promise<readonly Mistake[]> {
    return (await this.read(tx, text)).mistakes;
  }

  /** The version that counts now; null: none was ever loaded, and nobody gets anything. */
  async active(tx: EntityManager): Promise<PolicyVersion | null> {
    return this.versions.active(tx);
  }

  /** As `active`, for decisions that need a policy. @throws Problem as `required` does */
  async current(tx: EntityManager): Promise<PolicyVersion> {
    return required(await this.active(tx));
  }

  /** A version that a case was planned with. */
  async get(tx: EntityManager, id: string): Promise<PolicyVersion> {
    return this.versions.get(tx, id);
  }

  private async read(tx: EntityManager, text: string): Promise<ReadDocument<AccessPolicy>> {
    const tools = await queryRows<{ key: string }>(tx, `SELECT key FROM tools WHERE state <> 'retired' ORDER BY key`);
    // The first start of all comes before the first tool: then the names can't be checked yet.
    return parsePolicy(text, tools.length === 0 ? null : tools.map(({ key }) => key));
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
