import type { EntityManager } from 'typeorm';
import { Installation } from '../../src/platform/installation/installation.entity.js';

/** The one row of `installation`, as `quartermaster init` makes it. */
export async function anInstallation(tx: EntityManager, with_: Partial<Installation> = {}): Promise<void> {
  await tx.insert(Installation, { id: 1, keyFingerprint: 'of-a-test', environment: 'test', ...with_ });
}
