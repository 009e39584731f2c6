import { createDataSource } from '../../../src/data-source.js';
import { LogCheck } from '../../../src/platform/audit/check-log.js';
import { verifierOf } from '../../../src/platform/audit/log-key.service.js';
import { inOneMoment, readLog } from '../../../src/platform/audit/log-reader.js';
import { waitFor } from '../../support/wait-for.js';
import type { ServiceUnderTest } from '../stage/service-under-test.js';

/** Sealing takes half a second when all is well. */
const SEALED_WITHIN = 10_000;

/** Every entry of the audit log is sealed, and the log is as it was sealed: no fault broke the chain (I6). */
export async function checkAuditLog(service: ServiceUnderTest): Promise<string[]> {
  const unsealed = () => service.rows(`SELECT id FROM audit_entries WHERE leaf_index IS NULL LIMIT 1`);
  await waitFor('the audit log is sealed', async () => (await unsealed()).length === 0, { withinMs: SEALED_WITHIN });
  const db = await createDataSource({
    url: service.databaseUrl,
    applicationName: 'faults-audit',
    poolSize: 1,
  }).initialize();
  try {
    return await inOneMoment(db, async (tx) => {
      const key = await verifierOf(tx);
      if (!key) return ['the audit log has no key, so nothing of it is sealed (I6)'];
      const check = new LogCheck(key);
      for await (const part of readLog(tx)) {
        check.part(part);
      }
      return check.end().map((finding) => `the audit log isn't as it was sealed: ${finding} (I6)`);
    });
  } finally {
    await db.destroy();
  }
}
