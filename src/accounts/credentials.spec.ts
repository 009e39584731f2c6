import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAccount } from '../../test/factories/accounts.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { Secret } from '../platform/crypto/secret.entity.js';
import type { Account } from './account.entity.js';
import { CredentialHandover } from './credential-handover.entity.js';
import { Credential } from './credential.entity.js';
import { CredentialsService } from './credentials.service.js';
import { newPassword } from './new-password.js';

let records: RecordsApp;
let credentials: CredentialsService;
let account: Account;
let api: Awaited<ReturnType<RecordsApp['caller']>>;

beforeAll(async () => {
  records = await startRecordsApp([], { PUBLIC_URL: 'https://qm.example' });
  credentials = records.app.get(CredentialsService);
  api = await records.caller('accounts:hand-over');
});
afterAll(() => records?.close());
beforeEach(async () => {
  account = await anAccount(records.db.manager, { username: 'ada<b>' });
});

const seal = () => records.db.transaction((tx) => credentials.sealNewPassword(tx, account.id));
const passwordOf = (id: string) => records.db.transaction((tx) => credentials.passwordOf(tx, id));
const goLive = (id: string) => records.db.transaction((tx) => credentials.markCredentialLive(tx, id));

describe('a new password', () => {
  it('is long, and has each kind of character that tools ask for', () => {
    const passwords = Array.from({ length: 200 }, newPassword);
    expect(new Set(passwords).size).toBe(200);
    for (const password of passwords)
      expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[-_.!])[\w.!-]{24}$/);
  });

  it('is the same one for a retry, also when two tries come at once', async () => {
    const [first, second] = await Promise.all([seal(), seal()]);
    expect(second.credentialId).toBe(first.credentialId);
    expect([first, second].filter(({ reused }) => reused)).toHaveLength(1);
    const password = await passwordOf(first.credentialId);
    expect(password).toHaveLength(24);
    expect(await passwordOf((await seal()).credentialId)).toBe(password);
  });

  it('replaces the one before as soon as it is seen to work', async () => {
    const old = await seal();
    await goLive(old.credentialId);
    const next = await seal();
    expect(next).toMatchObject({ reused: false });
    await goLive(next.credentialId);
    const states = await credentials.forAccount(records.db.manager, account.id);
    expect(states.map(({ id, state }) => [id, state])).toEqual([
      [next.credentialId, 'live'],
      [old.credentialId, 'revoked'],
    ]);
    await expect(passwordOf(old.credentialId)).rejects.toThrow(/is gone/);
  });

  it('is destroyed when the account’s credentials are revoked, and never reused', async () => {
    const sealed = await seal();
    const handover = await records.db.manager.findOneByOrFail(CredentialHandover, {
      credentialId: sealed.credentialId,
    });
    const secret = { id: handover.secretId ?? '' };
    expect(await records.db.manager.existsBy(Secret, secret)).toBe(true);
    expect(await records.db.transaction((tx) => credentials.revokeCredentials(tx, [account.id]))).toBe(1);
    expect(await records.db.manager.existsBy(Secret, secret)).toBe(false);
    expect((await seal()).reused).toBe(false);
  });
});

describe('a credential link', () => {
  const link = async (): Promise<string> =>
    (await api.post(`/v1/accounts/${account.id}/credential-link`).expect(201)).body.url;
  const pathOf = (url: string): string => url.replace('https://qm.example', '');
  const livePassword = async (): Promise<string> => {
    const { credentialId } = await seal();
    await goLive(credentialId);
    return passwordOf(credentialId);
  };

  it('shows user name and password once, to a browser', async () => {
    const password = await livePassword();
    const path = pathOf(await link());
    const preview = await records.stranger.get(path).expect(200);
    expect(preview.text).toContain('<form method="post">');
    expect(preview.text).not.toContain(password);
    await records.stranger.get(path).expect(200);
    const shown = await records.stranger.post(path).set('Accept', 'text/html').expect(200);
    expect(shown.headers['cache-control']).toBe('no-store');
    expect(shown.text).toContain(password);
    expect(shown.text).toContain('ada&#60;b&#62;');
    await records.stranger.post(path).set('Accept', 'text/html').expect(410).expect('Content-Type', /html/);
    await records.stranger.get(path).expect(410);
  });

  it('shows them as JSON to a program, and destroys the secret', async () => {
    const password = await livePassword();
    const path = pathOf(await link());
    const shown = await records.stranger.post(path).set('Accept', 'application/json').expect(200);
    expect(shown.body).toMatchObject({ username: 'ada<b>', password });
    const gone = await records.stranger.post(path).set('Accept', 'application/json').expect(410);
    expect(gone.body.type).toBe('/problems/gone');
    const [credential] = await records.db.manager.findBy(Credential, { accountId: account.id });
    const handover = await records.db.manager.findOneByOrFail(CredentialHandover, {
      credentialId: credential?.id ?? '',
    });
    expect(handover).toMatchObject({ secretId: null, openedAt: expect.any(Date) });
  });

  it('shows them to one of two who open it at once', async () => {
    await livePassword();
    const path = pathOf(await link());
    const both = await Promise.all([1, 2].map(() => records.stranger.post(path).set('Accept', 'application/json')));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410]);
  });

  it('stops working when a second one is made, when it is a day old, and when the password is revoked', async () => {
    await livePassword();
    const first = pathOf(await link());
    const second = pathOf(await link());
    await records.stranger.get(first).expect(410);
    await records.stranger.get(second).expect(200);
    const expired = { linkExpiresAt: () => `now() - interval '1 second'` };
    const { id } = await records.db.manager.findOneByOrFail(Credential, { accountId: account.id });
    await records.db.manager.update(CredentialHandover, { credentialId: id }, expired);
    await records.stranger.post(second).expect(410);
    const third = pathOf(await link());
    await records.db.transaction((tx) => credentials.revokeCredentials(tx, [account.id]));
    await records.stranger.post(third).expect(410);
  });

  it('isn’t made for a password that isn’t seen to work yet, or is handed over', async () => {
    const make = () => api.post(`/v1/accounts/${account.id}/credential-link`);
    await make().expect(409);
    const { credentialId } = await seal();
    await make().expect(409);
    await goLive(credentialId);
    await records.stranger.post(pathOf(await link())).expect(200);
    await make().expect(409);
  });

  it('leaves neither token nor password in log, audit or idempotency keys', async () => {
    const password = await livePassword();
    const url = await link();
    const token = url.split('/').at(-1) ?? '';
    await records.stranger.post(pathOf(url)).expect(200);
    expect(records.log()).toContain('/credential-links/');
    expect(records.log()).not.toContain(token);
    expect(records.log()).not.toContain(password);
    const entries = await records.db.manager.findBy(AuditEntry, { subjectId: account.id });
    expect(entries.map(({ action }) => action)).toEqual(['credential-link.created', 'credential-link.opened']);
    expect(JSON.stringify(entries)).not.toContain(token);
    await api.post(`/v1/accounts/${account.id}/credential-link`).set('Idempotency-Key', 'k').expect(400);
  });

  it('needs the scope to hand credentials over', async () => {
    const reader = await records.caller('accounts:read');
    await reader.post(`/v1/accounts/${account.id}/credential-link`).expect(403);
  });
});
