import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAccessPolicy, anActivePolicy } from '../../test/factories/access-policies.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { aTool } from '../../test/factories/tools.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { AccessPolicyService } from './access-policy.service.js';
import { PolicyVersion } from './policy-version.entity.js';

const POLICY = 'corporateDomains: [acme.example]\nrules:\n  - name: everyone\n    tools: [{ tool: chat }]\n';

let folder: string;
let file: string;
let records: RecordsApp;
let policies: AccessPolicyService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'access-policy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  file = join(folder, `${randomBytes(4).toString('hex')}.yaml`);
  records = await startRecordsApp([], { ACCESS_POLICY_FILE: file });
  policies = records.app.get(AccessPolicyService);
});
afterEach(() => records?.close());

const load = async (text: string) => {
  await writeFile(file, text);
  return policies.loadFile();
};
const active = async () => (await policies.active(records.db.manager))?.document.rules.map(({ name }) => name);

describe('the policy file', () => {
  it('becomes the policy when it is loaded, and a second time nothing', async () => {
    expect(await active()).toBeUndefined();
    expect((await load(POLICY)).outcome).toBe('activated');
    expect(await active()).toEqual(['everyone']);
    expect((await load(POLICY)).outcome).toBe('unchanged');
    expect(await records.db.manager.countBy(AuditEntry, { action: 'access-policy.activated' })).toBe(1);
  });

  it('is activated once when processes start together', async () => {
    await writeFile(file, POLICY);
    const outcomes = await Promise.all([1, 2, 3, 4].map(async () => (await policies.loadFile()).outcome));
    expect(outcomes.toSorted()).toEqual(['activated', 'unchanged', 'unchanged', 'unchanged']);
    expect(await records.db.manager.count(PolicyVersion)).toBe(1);
  });

  it('never replaces a good policy when it is broken or gone, and says why', async () => {
    await load(POLICY);
    expect(await load(`${POLICY}  - nam: x\n`)).toMatchObject({
      outcome: 'refused',
      mistakes: [
        { line: 5, column: 5, message: '“rules 2. name” is missing.' },
        { line: 5, column: 5, message: '“nam” isn’t known here; known are name, when, tools, deviceModel.' },
      ],
    });
    await rm(file);
    expect(await policies.loadFile()).toMatchObject({ outcome: 'refused', mistakes: [{ line: 1 }] });
    expect(await active()).toEqual(['everyone']);
  });

  it('may name any tool before the first is set up, and existing ones only afterwards', async () => {
    expect((await load(POLICY)).outcome).toBe('activated');
    await aTool(records.db.manager, { key: 'directory' });
    expect((await load(POLICY)).outcome).toBe('unchanged');
    expect(await load(POLICY.replace('everyone', 'all'))).toMatchObject({
      outcome: 'refused',
      mistakes: [{ line: 4, column: 21, message: 'There is no tool “chat”; known are directory.' }],
    });
  });

  it('can go back to an earlier version, of which there is one record', async () => {
    const first = await load(POLICY);
    await load(POLICY.replace('everyone', 'all'));
    expect(await active()).toEqual(['all']);
    const again = await load(POLICY);
    expect(await active()).toEqual(['everyone']);
    expect(again).toMatchObject({
      outcome: 'activated',
      version: { id: (first as { version: PolicyVersion }).version.id },
    });
    expect(await records.db.manager.count(PolicyVersion)).toBe(2);
    expect(await records.db.manager.countBy(PolicyVersion, { active: true })).toBe(1);
  });
});

describe('/v1/access-policy', () => {
  it('shows the active version, and by whom', async () => {
    const api = await records.caller('policy:read');
    await api.get('/v1/access-policy').expect(404);
    await anActivePolicy(records.db.manager, anAccessPolicy({ rules: [{ name: 'before' }] }));
    await load(POLICY);
    const { body } = await api.get('/v1/access-policy').expect(200);
    expect(body).toMatchObject({ activatedBy: 'Quartermaster', document: { rules: [{ name: 'everyone' }] } });
    expect(body.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('checks a text and stores nothing', async () => {
    const api = await records.caller('policy:read');
    const check = async (text: string) => (await api.post('/v1/access-policy/check').send({ text }).expect(200)).body;
    expect(await check(POLICY)).toEqual({ valid: true, mistakes: [] });
    const wrong = await check('rules: 7\n');
    expect(wrong.valid).toBe(false);
    expect(wrong.mistakes).toEqual([
      { line: 1, column: 1, message: '“corporateDomains” is missing.' },
      { line: 1, column: 8, message: '“rules” must be a list of rules.' },
    ]);
    expect(await records.db.manager.count(PolicyVersion)).toBe(0);
  });
});
