import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { StepDecisions } from './step-decisions.service.js';
import { StepEvidence } from './step-evidence.entity.js';
import { Step } from './step.entity.js';

/** Bytes: a photo or a screenshot, not a film. */
export const EVIDENCE_LIMIT = 2 * 1024 * 1024;
const MOST_FILES = 10;

/** Files that people leave as proof of what they did by hand; sealed, since a screenshot shows what it shows. */
@Injectable()
export class Evidence {
  constructor(
    private readonly db: DataSource,
    private readonly decisions: StepDecisions,
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
  ) {}

  /**
   * Keeps a file with a step that needs a person. The same file again changes nothing.
   *
   * @param sha256 in hex: what the sender says the file's hash is
   * @throws Problem `invalid-request` when it isn't, `too-large`, `conflict` in another state of the step or beyond ten
   * files, `forbidden` for the person whose access it is about
   */
  async add(
    stepId: string,
    sha256: string,
    fileName: string,
    content: Buffer,
    actor: Actor,
  ): Promise<{ evidence: StepEvidence; isNew: boolean }> {
    return inTransaction(this.db, async (tx) => {
      // The step is locked, so files are counted and added one after the other.
      const step = await this.decisions.lock(tx, stepId, actor);
      return this.addTo(tx, step, { sha256, fileName, content }, actor);
    });
  }

  /** As `add`, to a step that `StepDecisions.lock` answered in this transaction. */
  async addTo(
    tx: EntityManager,
    step: Step,
    { sha256, fileName, content }: { sha256: string; fileName: string; content: Buffer },
    actor: Actor,
  ): Promise<{ evidence: StepEvidence; isNew: boolean }> {
    if (content.length === 0) throw new Problem('invalid-request', 'The file is empty.');
    if (content.length > EVIDENCE_LIMIT) throw tooLarge();
    if (hashOf(content) !== sha256) {
      throw new Problem('invalid-request', 'The file’s SHA-256 isn’t the one in the address; send it again.');
    }
    const { id: stepId } = step;
    const there = await tx.findBy(StepEvidence, { stepId });
    const same = there.find((one) => one.sha256 === sha256);
    if (same) return { evidence: same, isNew: false };
    if (there.length >= MOST_FILES) throw new Problem('conflict', `A step takes ${MOST_FILES} files at most.`);
    const secretId = await this.vault.seal(tx, 'step.evidence', content.toString('base64'));
    await tx.insert(StepEvidence, { stepId, sha256, fileName, bytes: content.length, secretId, addedBy: actor.name });
    await this.audit.record(tx, actor, 'step.evidence-added', {
      ...aboutStep(step),
      facts: { sha256, bytes: content.length },
      // A file's name may be a person's.
      personal: { fileName },
    });
    return { evidence: await tx.findOneByOrFail(StepEvidence, { stepId, sha256 }), isNew: true };
  }

  async list(stepId: string, actor: Actor): Promise<StepEvidence[]> {
    await requireWithin(this.db.manager, actor, 'step', stepId);
    return this.db.manager.find(StepEvidence, { where: { stepId }, order: { addedAt: 'ASC', sha256: 'ASC' } });
  }

  /** The file itself, held against its hash once more; who read it is written down. @throws Problem `not-found` */
  async read(stepId: string, sha256: string, actor: Actor): Promise<{ fileName: string; content: Buffer }> {
    return inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'step', stepId);
      const found = await tx.findOneBy(StepEvidence, { stepId, sha256 });
      if (!found) throw new Problem('not-found', 'This step has no such file.');
      const step = await tx.findOneByOrFail(Step, { id: stepId });
      const content = Buffer.from(await this.vault.open(tx, found.secretId), 'base64');
      if (hashOf(content) !== sha256) throw new Error(`evidence ${sha256} of step ${stepId} isn't what was sealed`);
      await this.audit.record(tx, actor, 'step.evidence-read', { ...aboutStep(step), facts: { sha256 } });
      return { fileName: found.fileName, content };
    });
  }
}

export function tooLarge(): Problem {
  return new Problem('too-large', `A file may have ${EVIDENCE_LIMIT / 1024 / 1024} MiB at most.`);
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function aboutStep({ id, caseId, personId }: Step) {
  return { subject: { kind: 'person', id: personId }, caseId, stepId: id };
}
