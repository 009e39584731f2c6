import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EngineWatch } from '../../src/alerting/engine-watch.service.js';
import { SCOPES, SYSTEM, type Actor } from '../../src/platform/sign-in/actor.js';
import { LeaversService } from '../../src/leavers/leavers.service.js';
import { OidcSignIn } from '../../src/platform/sign-in/oidc/oidc-sign-in.service.js';
import { SignInBars } from '../../src/platform/sign-in/sign-in-bars.service.js';
import { SignInIdentities } from '../../src/platform/sign-in/sign-in-identities.service.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import { aCase, aStep } from '../factories/cases.js';
import { aDevice } from '../factories/devices.js';
import { aPerson } from '../factories/people.js';
import { CLIENT_SECRET } from '../support/oidc-provider.js';
import { PlainBrowser } from '../support/plain-browser.js';
import { waitFor } from '../support/wait-for.js';
import { startOidcApp, type OidcApp } from './oidc-app.js';

let test: OidcApp;
beforeAll(async () => {
  test = await startOidcApp();
});
afterAll(() => test?.close());
afterEach(() => vi.useRealTimers());

const subjectOf = (name: string): string => `${name}-${randomUUID()}`;
const sessions = async (identityId: string) =>
  test.service.db.query<{ ended: boolean; id_token_secret_id: string | null }[]>(
    `SELECT ended_at IS NOT NULL AS ended, id_token_secret_id FROM browser_sessions WHERE identity_id = $1 ORDER BY id`,
    [identityId],
  );
const audited = async (action: string) =>
  test.service.db.query<{ actor_id: string; facts: Record<string, unknown>; case_id: string | null }[]>(
    `SELECT actor_id, facts, case_id FROM audit_entries WHERE action = $1 ORDER BY id DESC`,
    [action],
  );

/** Admitted, and signed in with a browser of their own. */
async function signedIn(options: Parameters<OidcApp['admit']>[1] = {}) {
  const subject = subjectOf('ada');
  const id = await test.admit(subject, options);
  const browser = new PlainBrowser();
  expect((await test.signIn(browser, subject)).status).toBe(200);
  expect(await test.statusFor(browser)).toBe(200);
  return { subject, id, browser };
}

describe('signing in through an OpenID provider', () => {
  it('starts at a page that leads there, by a pushed request with PKCE, and tells the provider no secret in the address', async () => {
    const browser = new PlainBrowser();
    const start = await browser.get(`${test.url}/sign-in`);
    expect(start.text).toContain('Sign in with Acme &#60;login&#62;');
    const before = test.provider.requests.length;
    const { url } = await browser.get(`${test.url}/sign-in/oidc`, ({ origin }) => origin === test.provider.issuer);
    expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
    expect(test.provider.requests.slice(before)).toContain('POST /request');
  });

  it('signs in who was admitted, by issuer and subject, as user:<id> with what their roles allow at that moment', async () => {
    const { id, browser } = await signedIn({ name: 'Ada <Example>' });
    expect((await browser.get(`${test.url}/sign-in`)).text).toContain('Ada &#60;Example&#62;');
    const [started] = await audited('browser-session.started');
    expect(started).toMatchObject({ actor_id: `user:${id}`, facts: { by: 'provider' } });
    expect(test.provider.lastNonce()).toMatch(/^[\w-]{43}$/);
    const may = async (path: string) => (await browser.get(`${test.url}${path}`)).status;
    expect([await may('/v1/tools'), await may('/v1/tokens')]).toEqual([200, 403]);
    await test.service.db.query(
      `UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE principal = $1`,
      [`user:${id}`],
    );
    expect(await may('/v1/tools')).toBe(403);
  });

  it('goes on to the page that was wanted, and never to another site', async () => {
    const subject = subjectOf('ada');
    await test.admit(subject);
    for (const [wanted, goesTo] of [
      ['/v1/people?limit=1', '/v1/people?limit=1'],
      ['//elsewhere.example/', '/app'],
      ['/\\elsewhere.example/', '/app'],
      ['https://elsewhere.example/', '/app'],
    ] as const) {
      const path = `/sign-in/oidc?return=${encodeURIComponent(wanted)}`;
      const { text } = await test.signIn(new PlainBrowser(), subject, path);
      expect(text).toContain(`content="0;url=${goesTo}"`);
    }
  });

  it('refuses who was not admitted, whatever their e-mail address is, and says who has to do what', async () => {
    await aPerson(test.service.db.manager, { corporateEmail: 'ada@acme.example' });
    await signedIn({ name: 'ada@acme.example' });
    const subject = subjectOf('mallory');
    const browser = new PlainBrowser();
    const refused = await test.signIn(browser, subject);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain(
      `quartermaster sign-in admit \\<br>--issuer ${test.provider.issuer} \\<br>--subject ${subject} `,
    );
    expect(await test.statusFor(browser)).toBe(401);
    const [refusal] = await audited('sign-in.refused');
    expect(refusal?.facts).toEqual({ issuer: test.provider.issuer, why: 'unknown' });
  });

  it('refuses who was withdrawn, and ended their sessions with it', async () => {
    const { id, subject, browser } = await signedIn();
    await test.service.db.transaction((tx) => test.service.app.get(SignInIdentities).withdraw(tx, SYSTEM, id));
    expect(await test.statusFor(browser)).toBe(401);
    expect((await test.signIn(browser, subject)).status).toBe(403);
  });

  it('says so when somebody turns back at the provider', async () => {
    const refused = await test.signIn(new PlainBrowser(), '');
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('The provider said: nobody');
  });

  it('gives each sign-in a session of its own, and ends the one it takes the place of', async () => {
    const { id, subject, browser } = await signedIn();
    const before = browser.cookies(test.url);
    await test.signIn(browser, subject);
    expect(browser.cookies(test.url)).not.toBe(before);
    expect((await sessions(id)).map(({ ended }) => ended)).toEqual([true, false]);
  });

  it('keeps the ID token sealed, and the secret to itself', async () => {
    const { id } = await signedIn();
    const [session] = await sessions(id);
    const [sealed] = await test.service.db.query<{ purpose: string }[]>(`SELECT purpose FROM secrets WHERE id = $1`, [
      session?.id_token_secret_id,
    ]);
    expect(sealed?.purpose).toBe('id-token');
    const entries = JSON.stringify(await test.service.db.query(`SELECT * FROM audit_entries`));
    for (const text of [test.service.log(), entries]) {
      expect(text).not.toContain(CLIENT_SECRET);
      expect(text).not.toContain('eyJ');
    }
  });

  describe('signs nobody in', () => {
    const expectNobody = async (browser: PlainBrowser, answer: URL) => {
      const { status, text } = await browser.get(answer);
      expect(status).toBe(400);
      expect(text).toContain('The sign-in did not work');
      expect(await test.statusFor(browser)).toBe(401);
    };
    let subject: string;
    beforeAll(async () => {
      subject = subjectOf('ada');
      await test.admit(subject);
    });
    const answered = async () => {
      const browser = new PlainBrowser();
      return { browser, answer: await test.answerFor(browser, subject) };
    };

    it('by an answer that was used before, with the cookie of then', async () => {
      const { browser, answer } = await answered();
      const cookie = browser.cookies(test.url);
      const again = () => fetch(answer, { headers: { cookie }, redirect: 'manual' });
      expect((await again()).status).toBe(200);
      const replay = await again();
      expect(replay.status).toBe(400);
      expect(replay.headers.getSetCookie().join()).not.toMatch(/quartermaster=[\w-]{43}/);
    });

    it('by an answer that comes again, put right, after it was refused', async () => {
      const { browser, answer } = await answered();
      const cookie = browser.cookies(test.url);
      const wrong = new URL(answer);
      wrong.searchParams.set('iss', 'https://elsewhere.example');
      // The code isn't redeemed yet, so the provider would give its tokens still.
      for (const one of [wrong, answer]) expect((await fetch(one, { headers: { cookie } })).status).toBe(400);
    });

    it("by another browser's answer", async () => {
      const { answer } = await answered();
      await expectNobody(new PlainBrowser(), answer);
      const other = await answered();
      await expectNobody(other.browser, answer);
    });

    it('by an answer with another state, or without one', async () => {
      for (const state of ['another', null]) {
        const { browser, answer } = await answered();
        if (state === null) answer.searchParams.delete('state');
        else answer.searchParams.set('state', state);
        await expectNobody(browser, answer);
      }
    });

    it('by an answer of another issuer, or of nobody in particular (RFC 9207)', async () => {
      for (const issuer of ['https://elsewhere.example', null]) {
        const { browser, answer } = await answered();
        if (issuer === null) answer.searchParams.delete('iss');
        else answer.searchParams.set('iss', issuer);
        await expectNobody(browser, answer);
      }
    });

    it('by an ID token with another nonce', async () => {
      test.provider.forgeNonce('another');
      const { browser, answer } = await answered();
      await expectNobody(browser, answer);
    });

    it('when ten minutes went by', async () => {
      const { browser, answer } = await answered();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
      await expectNobody(browser, answer);
    });

    it('by a cookie that was changed', async () => {
      const { browser, answer } = await answered();
      // In the middle: the last character of base64 may carry bits that nobody reads.
      const cookie = browser.cookies(test.url).replace(/(?<=.{60})./, (letter) => (letter === 'A' ? 'B' : 'A'));
      expect((await fetch(answer, { headers: { cookie } })).status).toBe(400);
    });
  });

  it('goes on working when the provider changed its keys', async () => {
    const { subject } = await signedIn();
    test.provider.rotateKey();
    // Keys aren't fetched more than once a minute, or anybody could make us ask.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect((await test.signIn(new PlainBrowser(), subject)).status).toBe(200);
  });
});

describe('signing out', () => {
  const signOut = (browser: PlainBrowser, accept = 'text/html') =>
    fetch(`${test.url}/sign-out`, {
      method: 'POST',
      headers: { cookie: browser.cookies(test.url), accept, origin: test.url },
    });

  it('ends the session here, destroys its ID token, and leads to the end of the one at the provider', async () => {
    const { id, browser } = await signedIn();
    const page = await signOut(browser);
    const address = /content="0;url=([^"]+)"/.exec(await page.text())?.[1]?.replaceAll('&#38;', '&');
    expect(address).toMatch(new RegExp(`^${test.provider.issuer}/session/end\\?id_token_hint=eyJ`));
    expect(await test.statusFor(browser)).toBe(401);
    expect(await sessions(id)).toEqual([{ ended: true, id_token_secret_id: null }]);
    expect(await (await signOut(browser, 'application/json')).json()).toEqual({ continueAt: null });
  });

  it('is for our own pages only', async () => {
    const { browser } = await signedIn();
    const headers = { cookie: browser.cookies(test.url), origin: 'https://elsewhere.example' };
    expect((await fetch(`${test.url}/sign-out`, { method: 'POST', headers })).status).toBe(403);
    expect(await test.statusFor(browser)).toBe(200);
  });

  describe('by the provider, behind the browser', () => {
    const tell = (token: string) =>
      fetch(`${test.url}/sign-in/oidc/back-channel-logout`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: token }),
      });

    it('ends all sessions of the subject, once', async () => {
      const { subject, browser, id } = await signedIn();
      const other = new PlainBrowser();
      await test.signIn(other, subject);
      const bystander = await signedIn();
      const token = await test.provider.logoutToken({ sub: subject });
      expect((await tell(token)).status).toBe(200);
      expect(await test.statusFor(browser)).toBe(401);
      expect(await test.statusFor(other)).toBe(401);
      expect(await test.statusFor(bystander.browser)).toBe(200);
      expect((await sessions(id)).map(({ ended }) => ended)).toEqual([true, true]);
      const replay = await tell(token);
      expect(replay.status).toBe(400);
      expect(await replay.json()).toMatchObject({ detail: 'The logout token was used before.' });
    });

    it('ends the one session that it names', async () => {
      const { subject, browser, id } = await signedIn();
      const other = new PlainBrowser();
      await test.signIn(other, subject);
      const [first] = await test.service.db.query<{ sid: string }[]>(
        `SELECT provider_session AS sid FROM browser_sessions WHERE identity_id = $1 ORDER BY id`,
        [id],
      );
      expect((await tell(await test.provider.logoutToken({ sid: first?.sid }))).status).toBe(200);
      expect(await test.statusFor(browser)).toBe(401);
      expect(await test.statusFor(other)).toBe(200);
    });

    it('believes no token that is not right in everything', async () => {
      const { subject, browser } = await signedIn();
      const now = Math.floor(Date.now() / 1000);
      const wrong: Record<string, Record<string, unknown>> = {
        'another audience': { aud: 'somebody-else' },
        'another issuer': { iss: 'https://elsewhere.example' },
        'a nonce': { nonce: 'as in an ID token' },
        'no event': { events: undefined },
        'another event': { events: { 'https://elsewhere.example': {} } },
        'no id': { jti: undefined },
        'no time': { iat: undefined },
        'an old time': { iat: now - 3_600 },
        'a time to come': { iat: now + 3_600 },
        'an end that is over': { exp: now - 3_600 },
        'neither subject nor session': { sub: undefined },
      };
      for (const [what, claims] of Object.entries(wrong)) {
        const { status } = await tell(await test.provider.logoutToken({ sub: subject, ...claims }));
        expect({ what, status }).toEqual({ what, status: 400 });
      }
      const right = await test.provider.logoutToken({ sub: subject });
      const [header = '', , signature = ''] = right.split('.');
      const claims = Buffer.from(JSON.stringify({ sub: subject })).toString('base64url');
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      for (const token of [`${header}.${claims}.${signature}`, `${none}.${claims}.`, 'nonsense']) {
        expect((await tell(token)).status).toBe(400);
      }
      expect(await test.statusFor(browser)).toBe(200);
      expect((await tell(right)).status).toBe(200);
      expect(await test.statusFor(browser)).toBe(401);
    });
  });
});

describe('when the access of a person is cut', () => {
  it('their sessions here end with the case, and no new one starts while it stands', async () => {
    const { id: personId } = await aPerson(test.service.db.manager);
    const { id, subject, browser } = await signedIn({ personId });
    const bystander = await signedIn();
    const admin = await test.service.caller('Grace');
    const { caseId } = (await admin.post('/v1/leavers').send({ personId, reason: 'at once' }).expect(202)).body as {
      caseId: string;
    };
    expect(await test.statusFor(browser)).toBe(401);
    expect(await test.statusFor(bystander.browser)).toBe(200);
    expect(await sessions(id)).toMatchObject([{ ended: true, id_token_secret_id: null }]);
    const [ended] = await audited('browser-session.ended');
    expect(ended).toMatchObject({ case_id: caseId });
    const refused = await test.signIn(browser, subject);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('Your access is suspended');
    expect(await test.statusFor(browser)).toBe(401);
  });

  it('a sign-in that is under way at that moment ends with it, too', async () => {
    const { id: personId } = await aPerson(test.service.db.manager);
    const subject = subjectOf('ada');
    const id = await test.admit(subject, { personId });
    const { app, db } = test.service;
    const answer = {
      issuer: test.provider.issuer,
      subject,
      authenticatedAt: null,
      providerSession: null,
      idToken: null,
    };
    const bars = app.get(SignInBars);
    const signIn = app.get(OidcSignIn);
    // It asked whether anything bars them, and goes on only when the leave has begun and waits for it.
    let leave: Promise<unknown> = Promise.resolve();
    const against = bars.against.bind(bars);
    vi.spyOn(bars, 'against').mockImplementationOnce(async (tx, person) => {
      const reason = await against(tx, person);
      leave = db.transaction((other) => app.get(LeaversService).begin(other, personId, SYSTEM, {}));
      await waitFor('the leave waits for the sign-in', async () => {
        const [row] = await db.query<{ waiting: number }[]>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return row?.waiting === 1;
      });
      return reason;
    });
    expect((await signIn.decide(answer, null, { via: 'rest' })).kind).toBe('signed-in');
    await leave;
    expect(await sessions(id)).toMatchObject([{ ended: true }]);
    expect(await signIn.decide(answer, null, { via: 'rest' })).toMatchObject({ kind: 'barred' });
  });

  it('by a lost laptop, they sign in again once access was given back', async () => {
    const { id: personId } = await aPerson(test.service.db.manager);
    const device = await aDevice(test.service.db.manager, { holderId: personId });
    const { subject, browser } = await signedIn({ personId });
    const admin = await test.service.caller('Grace');
    const { body } = await admin.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    expect(await test.statusFor(browser)).toBe(401);
    expect((await test.signIn(browser, subject)).status).toBe(403);
    await admin.post(`/v1/lost-devices/${body.caseId}/restore`).send({}).expect(202);
    expect((await test.signIn(browser, subject)).status).toBe(200);
  });
});

it('nobody who is linked to a person decides about their own access, whatever they are called here', async () => {
  const tx = test.service.db.manager;
  const { id: personId } = await aPerson(tx);
  const own = await aStep(tx, { state: 'needs_human', caseId: (await aCase(tx, { personId })).id });
  const other = await aStep(tx, { state: 'needs_human' });
  // Linked, and not barred: no hold stands on a person whose case a test made.
  const { browser } = await signedIn({ personId, name: 'Ada', role: 'it-operator' });
  const waive = (stepId: string) =>
    fetch(`${test.url}/v1/steps/${stepId}/waive`, {
      method: 'POST',
      body: JSON.stringify({ reason: 'not needed' }),
      headers: { cookie: browser.cookies(test.url), origin: test.url, 'content-type': 'application/json' },
    });
  const refused = await waive(own.id);
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ detail: 'Nobody decides about their own access.' });
  expect((await waive(other.id)).ok).toBe(true);
});

describe('what is dangerous', () => {
  const restore = (browser: PlainBrowser) =>
    fetch(`${test.url}/v1/lost-devices/${randomUUID()}/restore`, {
      method: 'POST',
      body: '{}',
      headers: { cookie: browser.cookies(test.url), origin: test.url, 'content-type': 'application/json' },
    });
  const isOpenFor = async (browser: PlainBrowser) => {
    const answer = await restore(browser);
    // Nobody lost a device with that id: whoever gets so far was let through.
    return answer.status === 404 ? 'yes' : ((await answer.json()) as { stepUpUrl?: string }).stepUpUrl;
  };

  it('asks whoever signed in a while ago to do it again, at the provider', async () => {
    const { id, subject, browser } = await signedIn({ role: 'it-operator' });
    await test.service.db.query(
      `UPDATE browser_sessions SET authenticated_at = now() - interval '11 minutes' WHERE identity_id = $1`,
      [id],
    );
    const stepUp = await isOpenFor(browser);
    expect(stepUp).toBe(`${test.url}/sign-in/oidc?fresh`);
    // Without it the provider would know them still, and ask nothing.
    const atProvider = await browser.get(String(stepUp), ({ pathname }) => pathname.startsWith('/login/'));
    expect(atProvider.url.pathname).toMatch(/^\/login\//);
    await test.signIn(browser, subject, '/sign-in/oidc?fresh');
    expect(await isOpenFor(browser)).toBe('yes');
  });

  it('is closed to whom the provider does not say since when it knows them', async () => {
    const { browser } = await signedIn({ role: 'it-operator' });
    expect(await isOpenFor(browser)).toBe(`${test.url}/sign-in/oidc?fresh`);
  });
});

it('a security key is refused where browsers use none, with what to set', async () => {
  const { browser } = await signedIn();
  const keys = `${test.url}/v1/caller/security-keys`;
  expect(JSON.parse((await browser.get(keys)).text)).toEqual({ items: [], registration: 'needs_address' });
  await test.service.db.query(`UPDATE browser_sessions SET authenticated_at = now()`);
  const headers = { cookie: browser.cookies(test.url), origin: test.url };
  const refused = await fetch(`${keys}/request`, { method: 'POST', headers });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({
    detail: expect.stringContaining('Set PUBLIC_URL to an address of https'),
  });
});

describe('a link from the command line', () => {
  const alerts = async () =>
    test.service.db.query<{ message: string; severity: string; open: boolean }[]>(
      `SELECT message, severity, resolved_at IS NULL AS open FROM alerts WHERE kind = 'sign_in_link' ORDER BY id`,
    );

  it('is told to whoever is on call when it is made, and when it is used, and forgotten after an hour', async () => {
    const { app, db } = test.service;
    expect(await alerts()).toEqual([]);
    const grace: Actor = { ...SYSTEM, name: 'grace' };
    const link = await db.transaction((tx) => app.get(SignInLinks).create(tx, grace, 'Ada', ['people:read']));
    const made = { message: expect.stringContaining("grace made a link on the server's command line"), open: true };
    expect(await alerts()).toEqual([{ ...made, severity: 'warning' }]);
    const use = () => fetch(link, { method: 'POST', headers: { origin: test.url }, redirect: 'manual' });
    expect((await use()).status).toBe(303);
    expect((await use()).status).toBe(410);
    const used = { message: expect.stringContaining('Somebody signed in as Ada'), open: true };
    expect(await alerts()).toMatchObject([made, used]);

    const watch = app.get(EngineWatch, { strict: false });
    await watch.look();
    expect((await alerts()).map(({ open }) => open)).toEqual([true, true]);
    await db.query(`UPDATE alerts SET raised_at = raised_at - interval '1 hour' WHERE kind = 'sign_in_link'`);
    await watch.look();
    expect((await alerts()).map(({ open }) => open)).toEqual([false, false]);
  });

  it('counts as fresh for ten minutes', async () => {
    const { app, db } = test.service;
    const link = await db.transaction((tx) => app.get(SignInLinks).create(tx, SYSTEM, 'Ada', SCOPES));
    const answer = await fetch(link, { method: 'POST', headers: { origin: test.url }, redirect: 'manual' });
    const cookie = /^[^;]+/.exec(answer.headers.getSetCookie()[0] ?? '')?.[0] ?? '';
    const lift = () =>
      fetch(`${test.url}/v1/tools/${randomUUID()}/lockdown`, {
        method: 'DELETE',
        headers: { cookie, origin: test.url },
      });
    expect((await lift()).status).toBe(404);
    await db.query(`UPDATE browser_sessions SET authenticated_at = now() - interval '601 seconds'`);
    const refused = await lift();
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      type: '/problems/step-up-required',
      stepUpUrl: `${test.url}/sign-in`,
      detail: expect.stringContaining('quartermaster sign-in-link'),
    });
  });
});

describe('while the provider is away', () => {
  it('says so, and how to get in all the same', async () => {
    await test.provider.stop();
    const page = await new PlainBrowser().get(`${test.url}/sign-in/oidc`);
    expect(page.status).toBe(503);
    expect(page.text).toContain('quartermaster sign-in-link');
    expect((await new PlainBrowser().get(`${test.url}/health/ready`)).status).toBe(200);
  });
});
