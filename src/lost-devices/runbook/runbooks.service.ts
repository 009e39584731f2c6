import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { DocumentVersions, type Activated } from '../../platform/documents/document-versions.js';
import { SYSTEM, type Actor } from '../../platform/sign-in/actor.js';
import { parseRunbook } from './parse-runbook.js';
import { RunbookVersion } from './runbook-version.entity.js';

/** The laptop-lost runbook in its versions. */
@Injectable()
export class Runbooks {
  private readonly log = new Logger(Runbooks.name);
  private readonly versions: DocumentVersions<RunbookVersion>;

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    audit: AuditService,
  ) {
    this.versions = new DocumentVersions(
      {
        entity: RunbookVersion,
        table: 'runbook_versions',
        lock: 7_154_882_061,
        audit: { act: 'runbook.activated', subject: 'runbook-version' },
      },
      audit,
    );
  }

  /** The configured file counts where none does yet; a file with mistakes never stops a start. */
  async provideFirst(): Promise<void> {
    const file = this.config.runbookFile;
    if (!file || (await this.active(this.db.manager))) return;
    try {
      const activated = await this.activate(await readFile(file, 'utf8'), basename(file), SYSTEM);
      if (activated.outcome !== 'refused')
        return this.log.log(`${file} is the laptop-lost runbook (${activated.version.digest}).`);
      for (const { line, column, message } of activated.mistakes)
        this.log.error(`${file}:${line}:${column} ${message}`);
    } catch (error) {
      this.log.error(`${file} can’t be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.log.error(
      'There is no laptop-lost runbook yet: losses are cut all the same, and nobody is told what else is due.',
    );
  }

  /** Later losses follow this text, unless it has mistakes. */
  async activate(text: string, source: string, actor: Actor): Promise<Activated<RunbookVersion>> {
    return inTransaction(this.db, (tx) =>
      this.versions.activate(tx, actor, { text, source }, async () => parseRunbook(text)),
    );
  }

  /** What a loss that is reported now follows; null: no runbook was ever activated. */
  async active(tx: EntityManager): Promise<RunbookVersion | null> {
    return this.versions.active(tx);
  }

  /** What a loss began with. */
  async get(tx: EntityManager, id: string): Promise<RunbookVersion> {
    return this.versions.get(tx, id);
  }
}
