import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { EvidencePack, whatIsNotProved } from '../../src/evidence-packs/evidence-pack.js';
import { evidencePage } from '../../src/evidence-packs/evidence-page.js';
import { buildLogVerifier, hasLogVerifier } from '../support/log-verifier.js';
import { left, TestService, type EmployeeFacts } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

let service: TestService;
let employee: EmployeeFacts;
let caseId: string;
let folder: string;
let key: string;
let pack: EvidencePack;

beforeAll(async () => {
  service = await TestService.start({ workers: ['standard,bulk'] });
  folder = await mkdtemp(join(inject('runFolder'), 'evidence-'));
  ({ employee } = await service.join());
  // Beyond the limit of its source, which somebody used up before, so that two people have to decide about it.
  await cli('brakes', 'limit', 'leaves', '--at-least', '1', '--share', '0');
  const { employee: before } = await service.join();
  await service.hr.post(left(before));
  caseId = String((await service.hr.post(left(employee))).body['caseId']);
  const [brake] = await service.rows<{ id: string }>(`SELECT id FROM brakes WHERE state = 'standing'`);
  const asked = await cliAs('ada', 'brakes', 'release', brake?.id ?? '', 'HR confirmed it by phone.');
  const approved = await cliAs('grace', 'approvals', 'approve', asked.out, 'Seen.');
  if (approved.code !== 0) throw new Error(approved.note);
  await service.untilClosed(caseId);
  await waitFor('all is sealed', async () => {
    const [row] = await service.rows<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM audit_entries WHERE leaf_index IS NULL`,
    );
    return row?.waiting === 0;
  });
  key = (await cli('audit', 'key')).out;
  const made = await cli('cases', 'evidence', caseId, '--out', folder);
  if (made.code !== 0) throw new Error(made.note);
  pack = EvidencePack.parse(JSON.parse(await readFile(join(folder, 'evidence.json'), 'utf8')));
});
afterAll(() => service?.stop());

const cli = (...words: string[]) => cliAs('auditor', ...words);

/** Somebody at the server's terminal. */
async function cliAs(name: string, ...words: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: [string[], string[]] = [[], []];
  const context = cliContext(
    service.env,
    (line) => out.push(line),
    (line) => note.push(line),
  );
  const code = await runCli(words, { ...context, actor: { ...context.actor, id: `terminal:${name}`, name } });
  return { code, out: out.join('\n'), note: note.join('\n') };
}

describe('the evidence of a leaver’s case', () => {
  it('tells it from HR’s word to the read-back, and says what it doesn’t prove', () => {
    expect(pack.case).toMatchObject({ id: caseId, kind: 'leaver', state: 'closed' });
    expect(pack.person).toMatchObject({ corporateEmail: employee.workEmail });
    expect(pack.hrEvents).toMatchObject([{ source: 'hr', outcome: 'held' }]);
    expect(pack.approvals.map(({ what, by }) => `${what} by ${by}`)).toEqual([
      'approval.requested by admin terminal:ada',
      'approval.approved by admin terminal:grace',
      'brake.released by admin terminal:grace',
    ]);
    expect(pack.decision.secondsAfterHr).toBeLessThan(60);
    const suspension = pack.steps.find(({ act }) => act === 'suspend_account');
    expect(suspension).toMatchObject({ state: 'done', confirmedAt: expect.any(String) });
    expect(suspension?.calls.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['act', 'done'],
      ['read_back', 'shown'],
    ]);
    expect(suspension?.calls[0]?.intent).toMatchObject({ act: 'suspend_account' });
    expect(pack.notProved.map(({ why }) => why).join('\n')).toContain('own record of what the tools answered');
    expect(pack.controls.map(({ control }) => control)).toEqual(['CC6.2', 'CC6.3', 'A.5.18', 'AC-2', 'PS-4']);
  });

  it('is verified with the log’s key and nothing else, by us and by an independent reader', async () => {
    const words = ['audit', 'verify', '--evidence', join(folder, 'evidence.json'), '--key', key];
    expect(await cli(...words)).toMatchObject({ code: 0, out: expect.stringContaining('as they say') });
    const proofs = (await readdir(join(folder, 'proofs'))).filter((name) => name.endsWith('.tlog-proof'));
    expect(proofs).toHaveLength(pack.log.entries.length);
    expect(proofs.length).toBeGreaterThan(3);
    if (!hasLogVerifier()) return;
    const verifier = await buildLogVerifier(folder);
    for (const name of proofs) {
      const proof = join(folder, 'proofs', name);
      expect(await verifier('proof', key, proof, proof.replace('.tlog-proof', '.json'))).toMatch(/^ok entry/);
    }
  });

  it.each([
    ['another act', (text: string) => text.replace('case.opened', 'case.opeNed'), 'doesn’t hold this entry'],
    [
      'another case',
      (text: string) =>
        text.replaceAll(
          caseId,
          caseId.replace(/.$/, (last) => (last === 'f' ? 'e' : 'f')),
        ),
      'doesn’t hold this entry',
    ],
    [
      'a step that isn’t done',
      (text: string) => text.replace('"state": "done"', '"state": "waived"'),
      'No sealed entry',
    ],
    [
      'a release of others',
      (text: string) => text.replaceAll(`\\"cases\\":[\\"${caseId}\\"]`, '\\"cases\\":[]'),
      'doesn’t hold this entry',
    ],
    ['fewer steps', (text: string) => JSON.stringify({ ...JSON.parse(text), steps: [] }), 'is missing from the case'],
  ])('is refused once it was made to tell of %s', async (_what, forge, why) => {
    const file = join(folder, 'forged.json');
    await writeFile(file, forge(await readFile(join(folder, 'evidence.json'), 'utf8')));
    expect(await cli('audit', 'verify', '--evidence', file, '--key', key)).toMatchObject({
      code: 1,
      note: expect.stringContaining(why),
    });
  });

  it('is a page that needs nothing else and lets nothing run', async () => {
    const page = await readFile(join(folder, 'evidence.html'), 'utf8');
    expect(page).toContain(employee.familyName);
    expect(page).toContain('read-back: shown');
    expect(page).not.toMatch(/<script|src=|href=|url\(/);
  });

  it('never takes for shown what a person vouches for', () => {
    const shown = pack.steps.find(({ act }) => act === 'suspend_account');
    if (!shown) throw new Error('Nothing was suspended.');
    const said = { ...shown, attestedBy: 'Grace', attestedAt: shown.confirmedAt };
    const why = 'Done by hand: Grace says so, the tool wasn’t asked.';
    expect(whatIsNotProved([said], pack.log, pack.hrEvents, [])).toContainEqual(expect.objectContaining({ why }));
    expect(evidencePage({ ...pack, steps: [shown] })).toContain('class="step shown"');
    const page = evidencePage({ ...pack, steps: [said] });
    expect(page).not.toContain('class="step shown"');
    expect(page).toContain('done, as Grace says');
  });

  it('is answered by REST, names the person to whoever may know, and leaves an entry of who read it', async () => {
    const read = () =>
      service.rows(`SELECT id FROM audit_entries WHERE action = 'case.evidence-read' AND case_id = $1`, [caseId]);
    const before = await read();
    const seen = EvidencePack.parse(await service.call('GET', `/v1/cases/${caseId}/evidence`));
    expect(seen.person).not.toBeNull();
    expect(await read()).toHaveLength(before.length + 1);
    const token = (
      await service.cli('token', 'create', '--name', 'auditor', '--scopes', 'audit:read', '--service', 'a')
    ).trim();
    const page = await fetch(`${service.url}/v1/cases/${caseId}/evidence/page`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await page.text();
    expect(html).not.toContain(employee.familyName);
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(html) ?? [];
    expect(page.headers.get('content-security-policy')).toContain(
      `style-src 'self' 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    );
    expect(await read()).toHaveLength(before.length + 2);
    await expect(service.call('GET', '/v1/cases/019abcde-0000-7000-8000-000000000000/evidence')).rejects.toThrow('404');
  });
});

describe('the population', () => {
  const DAYS = ['--from', '2020-01-01', '--to', '2100-01-01'];

  it('lists the cases of a period, and the same seed draws the same sample', async () => {
    const { code, out, note } = await cli('audit', 'population', ...DAYS, '--sample', '1', '--seed', 'autumn');
    expect(code).toBe(0);
    const [columns, ...rows] = out.split('\n');
    expect(columns).toContain('case_id,person_id,hr_received_at,opened_at,last_cut_confirmed_at,closed_at');
    expect(rows).toHaveLength(2);
    expect(rows.filter((row) => row.endsWith(',x'))).toHaveLength(1);
    expect(rows.filter((row) => row.startsWith(`${caseId},`))).toHaveLength(1);
    expect(note).toContain('2 cases; the audit log tells of 2');
    expect(note).toContain('--seed autumn');
    expect(await cli('audit', 'population', ...DAYS, '--sample', '1', '--seed', 'autumn')).toEqual({ code, out, note });
  });

  it.each([
    [['--from', 'May', '--to', '2026-01-01'], '--from takes a day'],
    [['--from', '2026-01-01', '--to', '2026-02-01', '--kind', 'holiday'], '--kind is one of'],
    [['--from', '2026-01-01', '--to', '2026-02-01', '--sample', 'many'], '--sample takes a number'],
  ])('asked for with %j is refused', async (words, why) => {
    expect(await cli('audit', 'population', ...words)).toMatchObject({ note: expect.stringContaining(why) });
  });
});
