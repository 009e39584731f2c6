import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aCompany, CANARIES, type Company } from './company.js';
import { findingText, fuzz, type FuzzReport } from './fuzz.js';

/** `npm run fuzz` sets them; see scripts/run-fuzz.ts. */
const SEED = Number(process.env['QM_FUZZ_SEED'] ?? 1);
const MINUTES = Number(process.env['QM_FUZZ_MINUTES'] ?? 0);
const ROUNDS = Number(process.env['QM_FUZZ_ROUNDS'] ?? 20);

/** They do what a tool does, and the company's tools answer nothing: their own suites see them succeed. */
const NEED_A_TOOL = new Set([
  'POST /v1/device-managers/{toolId}/ask',
  'GET /v1/tools/{id}/computers',
  'GET /v1/tools/{id}/computers/{computer}/recovery-keys',
  'GET /v1/tools/{id}/computers/{computer}/status',
  'POST /v1/accounts/{id}/credential-link',
  'POST /v1/accounts/{id}/certificates',
  'POST /v1/accounts/{id}/revoke-device',
  'GET /v1/tools/{id}/lockdown',
  'PUT /v1/tools/{id}/lockdown',
  'DELETE /v1/tools/{id}/lockdown',
  // With a device's own token, which is shown once to whoever makes it.
  'POST /v1/reporters/observations',
  'POST /v1/reporters/recovery-keys',
  'POST /v1/reporters/recovery-keys/wanted',
  // Another person than the one who did it has to confirm: a token of the fuzz is one person.
  'POST /v1/steps/{id}/confirm',
  // A file of this very step, a key of this very device, and a loss of which the last step is done: too seldom drawn to
  // be relied on.
  'POST /v1/devices/{id}/recovery-keys/{key}/reveal',
  'GET /v1/steps/{id}/evidence/{sha256}',
  'POST /v1/lost-devices/{caseId}/restore',
  // An order of this very loss, and a task by the name that its runbook gives it: the same.
  'POST /v1/lost-devices/{caseId}/commands/{id}/progress',
  'POST /v1/lost-devices/{caseId}/tasks/{task}/complete',
  // A secret of this very source, while it has two: the same.
  'DELETE /v1/hr-sources/{name}/secrets/{id}',
  // A machine that is back, in the newest case of its loss, and once: the same.
  'POST /v1/lost-devices/{caseId}/unlock',
  // A device that isn’t standard, and somebody who hasn’t left by then.
  'POST /v1/devices/{id}/exception',
  'DELETE /v1/devices/{id}/exception',
  // A file with the right first line, which no chance writes.
  'POST /v1/devices/imports',
  'GET /v1/devices/imports/{id}',
  'POST /v1/devices/imports/{id}/apply',
  // By the person themselves, and the fuzz is nobody that has a device.
  'POST /v1/acknowledgements/{id}/sign',
  // A version that is signed, has its content and wasn't withdrawn: too seldom drawn as well.
  'POST /v1/images/versions/{id}/publish',
  // Two people have to agree about what a brake holds and who may do what: the fuzz is one, and brings no brake on.
  'POST /v1/recovery-key-reveals',
  'POST /v1/recovery-key-reveals/{id}/read',
  'GET /v1/approvals/{id}',
  'POST /v1/approvals/{id}/approve',
  'POST /v1/approvals/{id}/refuse',
  'GET /v1/brakes/{id}',
  'POST /v1/brakes/{id}/release',
  'POST /v1/brakes/{id}/discard',
  'POST /v1/role-assignments',
  'POST /v1/role-assignments/{id}/end',
  // Somebody at a browser who signed in through the provider, with a key: a token and a link have none.
  'POST /v1/caller/security-keys',
  'POST /v1/caller/security-keys/request',
  'DELETE /v1/caller/security-keys/{id}',
  'POST /v1/caller/step-up',
  'POST /v1/caller/step-up/request',
  // A stream that no answer ends.
  'GET /v1/changes',
  // The log isn't sealed here: nobody made its key.
  'GET /v1/audit/checkpoint',
  'GET /v1/audit-entries/{id}/proof',
  'GET /v1/cases/{id}/evidence',
  'GET /v1/cases/{id}/evidence/page',
]);

describe('whatever is sent to the operations of the OpenAPI document', () => {
  let service: ServiceApp;
  let company: Company;
  let report: FuzzReport;

  beforeAll(
    async () => {
      const rules = [{ name: 'all', when: {}, tools: [{ tool: 'scim-tool' }, { tool: 'by-hand' }] }];
      const identityFile = join(await mkdtemp(join(inject('runFolder'), 'fuzz-')), 'identity');
      const recipient = await makeAgeIdentity(identityFile);
      service = await startServiceApp({
        recoveryRing: new RecoveryRing([recipient], await loadAgeIdentities(identityFile)),
        policy: anAccessPolicy({ rules }),
        // They would answer most of it.
        env: { RATE_LIMIT_FAILURES: '0', RATE_LIMIT_REQUESTS: '0', IMAGE_STORE: join(dirname(identityFile), 'images') },
      });
      company = await aCompany(service);
      const until = performance.now() + MINUTES * 60_000;
      const goesOn = (done: number): boolean => (MINUTES > 0 ? performance.now() < until : done < ROUNDS);
      report = await fuzz(service, company, { seed: SEED, goesOn });
      const { requests, statuses, slowestMs } = report;
      if (process.env['QM_FUZZ_SEED']) {
        console.log(JSON.stringify({ seed: SEED, requests, statuses, slowestMs: Math.round(slowestMs) }));
      }
    },
    // Some ten seconds, where nothing else runs.
    300_000 + MINUTES * 60_000,
  );
  afterAll(() => service?.close());

  it('is answered with no 5xx, and as the document says', () => {
    expect(report.findings.map(findingText)).toEqual([]);
  });

  it('reaches what each operation does, not only how it refuses', () => {
    expect(report.neverDone.filter((operation) => !NEED_A_TOOL.has(operation))).toEqual([]);
  });

  it('leaves no error in the log and no secret (I7)', () => {
    const lines = service.log().split('\n').filter(Boolean);
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 50)).toEqual([]);
    for (const canary of CANARIES) expect(service.log()).not.toContain(canary);
  });
});
