import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES, SYSTEM } from '../../src/platform/sign-in/actor.js';
import { BrowserSessions } from '../../src/platform/sign-in/browser-sessions.service.js';
import type { KeyAnswer, KeyRequest } from '../../src/platform/sign-in/security-keys/key-answers.js';
import { SignInIdentities } from '../../src/platform/sign-in/sign-in-identities.service.js';
import { SignInIdentity } from '../../src/platform/sign-in/sign-in-identity.entity.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import { aUser, type User } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { attestedByCertificates } from '../support/attested-by-certificates.js';
import { SoftwareKey } from '../support/software-key.js';
import { waitFor } from '../support/wait-for.js';

const ORIGIN = 'http://localhost:3000';

let service: ServiceApp;
beforeAll(async () => {
  service = await startServiceApp({ env: { PUBLIC_URL: ORIGIN } });
});
afterAll(() => service?.close());

type Browser = Pick<User, 'agent'>;

const identityOf = ({ principal }: User): string => principal.slice('user:'.length);
const keysOf = async ({ agent }: Browser) => (await agent.get('/v1/caller/security-keys').expect(200)).body;
const query = <Row>(sql: string, ...parameters: unknown[]) => service.db.query<Row[]>(sql, parameters);

/** What is dangerous: there is no such tool, so whoever gets so far was let through. */
const danger = async ({ agent }: Browser) => {
  const { status, body } = await agent.delete(`/v1/tools/${randomUUID()}/lockdown`);
  return status === 404 ? 'open' : (body as { stepUpBy?: string }).stepUpBy;
};

/** Their other browser, in which they signed in just now. */
async function anotherBrowserOf(user: User): Promise<Browser> {
  return service.db.transaction(async (tx) => {
    const identity = await tx.findOneByOrFail(SignInIdentity, { id: identityOf(user) });
    const signIn = { identity, authenticatedAt: new Date(), providerSession: null, idToken: null };
    const token = await service.app.get(BrowserSessions).startByProvider(tx, signIn, null, { via: 'rest' });
    const headers = { cookie: `quartermaster=${token}`, origin: ORIGIN };
    return { agent: supertest.agent(service.app.getHttpServer()).set(headers) };
  });
}

async function register({ agent }: Browser, key = new SoftwareKey(ORIGIN), name = 'blue one'): Promise<SoftwareKey> {
  const { body: asked } = await agent.post('/v1/caller/security-keys/request').expect(200);
  await agent
    .post('/v1/caller/security-keys')
    .send({ name, answer: key.create(asked) })
    .expect(201);
  return key;
}

/** Somebody who may do everything, signed in just now, with a key. */
async function withKey(): Promise<{ user: User; key: SoftwareKey }> {
  const user = await aUser(service.app, 'owner');
  return { user, key: await register(user) };
}

const asked = async ({ agent }: Browser): Promise<KeyRequest> =>
  (await agent.post('/v1/caller/step-up/request').expect(200)).body as KeyRequest;
const answer = async ({ agent }: Browser, proof: KeyAnswer) => agent.post('/v1/caller/step-up').send(proof);
const prove = async (browser: Browser, key: SoftwareKey) =>
  (await answer(browser, key.get(await asked(browser)))).status;

const alerts = (kind: string) =>
  query<{ severity: string; message: string; open: boolean }>(
    `SELECT severity, message, resolved_at IS NULL AS open FROM alerts WHERE kind = $1 ORDER BY id`,
    kind,
  );
const lastEntry = async (action: string, { principal }: User) => {
  const [entry] = await query<{ facts: Record<string, unknown> }>(
    `SELECT facts FROM audit_entries WHERE action = $1 AND actor_id = $2 ORDER BY id DESC LIMIT 1`,
    action,
    principal,
  );
  return entry?.facts;
};

describe('registering a security key', () => {
  it('takes a fresh sign-in, and shows the key in its holder’s list alone', async () => {
    const [ada, grace] = [await aUser(service.app, 'viewer'), await aUser(service.app, 'viewer')];
    await query(
      `UPDATE browser_sessions SET authenticated_at = now() - interval '11 minutes' WHERE identity_id = $1`,
      identityOf(ada),
    );
    expect(await keysOf(ada)).toEqual({ items: [], registration: 'possible' });
    const { body } = await ada.agent.post('/v1/caller/security-keys/request').expect(403);
    expect(body).toMatchObject({ stepUpBy: 'provider', stepUpUrl: `${ORIGIN}/sign-in/oidc?fresh` });

    await query(`UPDATE browser_sessions SET authenticated_at = now() WHERE identity_id = $1`, identityOf(ada));
    await register(ada, undefined, 'blue one');
    expect((await keysOf(ada)).items).toMatchObject([{ name: 'blue one', lastUsedAt: null, copiedAt: null }]);
    expect((await keysOf(grace)).items).toEqual([]);
    expect(await lastEntry('security-key.registered', ada)).toEqual({ identityId: identityOf(ada) });
    const { name } = (await ada.agent.get('/v1/caller').expect(200)).body as { name: string };
    expect(await alerts('security_key_added')).toMatchObject([
      { severity: 'info', message: expect.stringContaining(`registered for ${name}`) },
    ]);
  });

  it('is asked for with the keys that they have, for one answer, by this session, with a PIN or a finger', async () => {
    const { user, key } = await withKey();
    expect(await prove(user, key)).toBe(204);
    const ask = async () => (await user.agent.post('/v1/caller/security-keys/request').expect(200)).body;
    const first = await ask();
    expect(first).toMatchObject({
      rp: { id: 'localhost' },
      authenticatorSelection: { userVerification: 'required' },
      excludeCredentials: [{ type: 'public-key', transports: ['usb'] }],
    });
    const send = async (made: object) => {
      const { status, body } = await user.agent
        .post('/v1/caller/security-keys')
        .send({ name: 'red one', answer: made });
      return status === 201 ? 'registered' : (body as { type: string }).type;
    };
    const red = new SoftwareKey(ORIGIN);
    expect(await send(red.create(first, { origin: 'https://quartermaster.evil.example' }))).toBe(
      '/problems/key-refused',
    );
    // That answer was wrong, and used the question up.
    expect(await send(red.create(first))).toBe('/problems/key-refused');
    expect(await lastEntry('security-key.refused', user)).toEqual({ why: 'not-asked' });
    expect(await send(red.create(await ask(), { isVerified: false }))).toBe('/problems/key-refused');
    const other = await anotherBrowserOf(user);
    await prove(other, key);
    const { body: elsewhere } = await other.agent.post('/v1/caller/security-keys/request').expect(200);
    await ask();
    expect(await send(red.create(elsewhere))).toBe('/problems/key-refused');
    expect(await send(red.create(await ask()))).toBe('registered');
    expect(await send(red.create(await ask()))).toBe('/problems/conflict');
    expect((await keysOf(user)).items).toHaveLength(2);
  });

  it('has the server call no address: a key that comes with certificates is refused before they are looked at', async () => {
    const user = await aUser(service.app, 'viewer');
    const called: string[] = [];
    const inside = createServer(({ url = '' }, response) => {
      called.push(url);
      response.end();
    });
    await new Promise<void>((listening) => void inside.listen(0, '127.0.0.1', listening));
    try {
      const { port } = inside.address() as AddressInfo;
      const { body: asked } = await user.agent.post('/v1/caller/security-keys/request').expect(200);
      const attested = attestedByCertificates(`http://127.0.0.1:${port}/inside`);
      const answer = new SoftwareKey(ORIGIN).create(asked, { attested });
      const { body } = await user.agent.post('/v1/caller/security-keys').send({ name: 'x', answer }).expect(403);
      expect(body.type).toBe('/problems/key-refused');
      expect(called).toEqual([]);
    } finally {
      inside.close();
    }
  });

  it('goes without a key for the first one only, also when two come from two browsers at the same moment', async () => {
    const user = await aUser(service.app, 'viewer');
    const browsers = [user, await anotherBrowserOf(user)];
    const path = '/v1/caller/security-keys';
    const answers: unknown[] = [];
    for (const { agent } of browsers) {
      answers.push(new SoftwareKey(ORIGIN).create((await agent.post(`${path}/request`).expect(200)).body));
    }
    const held = service.db.createQueryRunner();
    await held.startTransaction();
    try {
      await held.query(`SELECT FROM sign_in_identities WHERE id = $1 FOR UPDATE`, [identityOf(user)]);
      const sent = Promise.all(
        browsers.map(({ agent }, at) => agent.post(path).send({ name: 'x', answer: answers[at] })),
      );
      await waitFor('both wait for each other', async () => {
        const [row] = await query<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return row?.waiting === 2;
      });
      await held.commitTransaction();
      expect(new Set((await sent).map(({ status }) => status))).toEqual(new Set([201, 409]));
    } finally {
      if (held.isTransactionActive) await held.rollbackTransaction();
      await held.release();
    }
    expect((await keysOf(user)).items).toHaveLength(1);
  });

  it('is nothing for who came by a link or with a token: nobody’s identity stands behind them', async () => {
    const token: Browser = { agent: await service.caller('robot') };
    const link = await service.db.transaction((tx) =>
      service.app.get(SignInLinks).create(tx, SYSTEM, 'Robin Keeper', SCOPES),
    );
    const agent = supertest.agent(service.app.getHttpServer()).set('origin', ORIGIN);
    await agent.post(new URL(link).pathname).expect(303);
    for (const browser of [token, { agent }]) {
      expect(await keysOf(browser)).toEqual({ items: [], registration: 'needs_provider' });
      await browser.agent.post('/v1/caller/security-keys/request').expect(409);
      await browser.agent.post('/v1/caller/step-up/request').expect(409);
      expect(await danger(browser)).toBe('open');
    }
  });
});

describe('before what is dangerous', () => {
  it('whoever has a key shows it, however fresh their sign-in is; for all others nothing changed', async () => {
    const [ada, grace] = [await aUser(service.app, 'owner'), await aUser(service.app, 'owner')];
    expect([await danger(ada), await danger(grace)]).toEqual(['open', 'open']);
    const key = await register(ada);
    expect([await danger(ada), await danger(grace)]).toEqual(['security-key', 'open']);

    expect(await prove(ada, key)).toBe(204);
    expect(await danger(ada)).toBe('open');
    expect((await keysOf(ada)).items[0].lastUsedAt).not.toBeNull();
    expect(await lastEntry('security-key.used', ada)).toHaveProperty('sessionId');
    // It was shown in this browser, and nowhere else.
    expect(await danger(await anotherBrowserOf(ada))).toBe('security-key');
    await query(
      `UPDATE browser_sessions SET key_used_at = now() - interval '601 seconds', authenticated_at = now()
       WHERE identity_id = $1`,
      identityOf(ada),
    );
    expect(await danger(ada)).toBe('security-key');
  });

  it('an answer counts once, also when it comes twice at the same moment', async () => {
    const { user, key } = await withKey();
    const proof = key.get(await asked(user));
    const statuses = (await Promise.all([answer(user, proof), answer(user, proof)])).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([204, 403]));
    await query(`UPDATE browser_sessions SET key_used_at = NULL WHERE identity_id = $1`, identityOf(user));
    expect((await answer(user, proof)).status).toBe(403);
    expect(await danger(user)).toBe('security-key');
  });

  type Scene = { user: User; key: SoftwareKey; request: KeyRequest };
  it.each<[string, string, (scene: Scene) => KeyAnswer | Promise<KeyAnswer>]>([
    [
      'the page of another origin',
      'not-shown',
      ({ key, request }) => key.get(request, { origin: 'https://evil.example' }),
    ],
    [
      'a key that answers for another name',
      'not-shown',
      ({ key, request }) => key.get(request, { rpId: 'evil.example' }),
    ],
    ['a key without PIN or finger', 'not-shown', ({ key, request }) => key.get(request, { isVerified: false })],
    [
      'somebody who knows the key’s name alone',
      'not-shown',
      ({ key, request }) => key.get(request, { signedBy: new SoftwareKey(ORIGIN) }),
    ],
    [
      'an answer to what another session was asked',
      'not-shown',
      async ({ user, key, request }) => {
        const other = await asked(await anotherBrowserOf(user));
        return key.get(request, { challenge: other.challenge });
      },
    ],
    ['a key of somebody else', 'not-theirs', async ({ request }) => (await withKey()).key.get(request)],
    [
      'a key that was removed',
      'not-theirs',
      async ({ user, key, request }) => {
        await register(await freshly(user, key), undefined, 'red one');
        const { items } = await keysOf(user);
        await query(`DELETE FROM security_keys WHERE id = $1`, items[0].id);
        await query(`UPDATE browser_sessions SET key_used_at = NULL WHERE identity_id = $1`, identityOf(user));
        return key.get(request);
      },
    ],
    [
      'an answer after more than three minutes',
      'not-asked',
      async ({ key, request }) => {
        await query(`UPDATE key_challenges SET expires_at = expires_at - interval '3 minutes'`);
        return key.get(request);
      },
    ],
    [
      'an answer to a question that a newer one took the place of',
      'not-shown',
      async ({ user, key, request }) => {
        await asked(user);
        return key.get(request);
      },
    ],
  ])('nothing is opened by %s', async (_what, why, made) => {
    const { user, key } = await withKey();
    const proof = await made({ user, key, request: await asked(user) });
    expect((await answer(user, proof)).body).toMatchObject({ type: '/problems/key-refused' });
    expect(await danger(user)).toBe('security-key');
    expect(await lastEntry('security-key.refused', user)).toMatchObject({ why });
  });

  /** Shown in another browser of theirs, so that this one isn't fresh. */
  async function freshly(user: User, key: SoftwareKey): Promise<Browser> {
    const other = await anotherBrowserOf(user);
    expect(await prove(other, key)).toBe(204);
    return other;
  }

  it('what was asked for a registration opens nothing', async () => {
    const { user, key } = await withKey();
    expect(await prove(user, key)).toBe(204);
    const { body } = await user.agent.post('/v1/caller/security-keys/request').expect(200);
    await query(`UPDATE browser_sessions SET key_used_at = NULL WHERE identity_id = $1`, identityOf(user));
    const proof = key.get({ ...body, rpId: body.rp.id } as KeyRequest);
    expect((await answer(user, proof)).status).toBe(403);
    expect(await lastEntry('security-key.refused', user)).toMatchObject({ why: 'not-asked' });
  });
});

describe('a key that counts backwards', () => {
  it('is a copy: neither of the two is taken from then on, and on-call is told until it is removed', async () => {
    const { user, key } = await withKey();
    expect(await prove(user, key)).toBe(204);
    const red = await register(user, undefined, 'red one');
    await query(`UPDATE browser_sessions SET key_used_at = NULL WHERE identity_id = $1`, identityOf(user));
    // Who can't sign as the key can't say that it was copied either.
    const forged = key.get(await asked(user), { counter: 1, signedBy: new SoftwareKey(ORIGIN) });
    expect((await answer(user, forged)).status).toBe(403);
    expect(await lastEntry('security-key.refused', user)).toMatchObject({ why: 'not-shown' });
    expect(await alerts('security_key_copied')).toEqual([]);

    for (const counter of [2, 100]) {
      const { body } = await answer(user, key.get(await asked(user), { counter }));
      expect(body.detail).toContain('there is a copy');
      expect(await lastEntry('security-key.refused', user)).toMatchObject({ why: 'copied' });
    }
    expect(await alerts('security_key_copied')).toMatchObject([{ severity: 'error', open: true }]);
    expect(await danger(user)).toBe('security-key');
    expect((await asked(user)).allowCredentials).toHaveLength(1);
    expect(await prove(user, red)).toBe(204);

    const helper = await aUser(service.app, 'owner');
    const [{ id, copiedAt }] = (await keysOf(user)).items;
    expect(copiedAt).not.toBeNull();
    await helper.agent.delete(`/v1/security-keys/${id}`).expect(204);
    expect(await alerts('security_key_copied')).toMatchObject([{ open: false }]);
  });
});

describe('removing a key', () => {
  it('takes the key, ends the holder’s other sessions, and makes a sign-in at the provider enough again', async () => {
    const { user, key } = await withKey();
    const other = await anotherBrowserOf(user);
    const [{ id }] = (await keysOf(user)).items;
    const remove = () => user.agent.delete(`/v1/caller/security-keys/${id}`);
    expect((await remove().expect(403)).body.stepUpBy).toBe('security-key');
    expect(await prove(user, key)).toBe(204);
    const stranger = await aUser(service.app, 'viewer');
    await stranger.agent.delete(`/v1/caller/security-keys/${id}`).expect(404);
    await remove().expect(204);
    await remove().expect(404);
    await other.agent.get('/v1/caller').expect(401);
    expect(await danger(user)).toBe('open');
    expect(await lastEntry('security-key.removed', user)).toEqual({ identityId: identityOf(user) });
  });

  it('of somebody who lost it is an owner’s, or is done by a link from the server, and on-call is told', async () => {
    const { user } = await withKey();
    const [{ id }] = (await keysOf(user)).items;
    for (const role of ['viewer', 'security'] as const) {
      await (await aUser(service.app, role)).agent.delete(`/v1/security-keys/${id}`).expect(403);
    }
    const helper = await withKey();
    const { body } = await helper.user.agent.get('/v1/security-keys').expect(200);
    expect(body.items).toContainEqual(expect.objectContaining({ id, principal: user.principal }));
    // Who has a key themselves shows it for this as well.
    await helper.user.agent.delete(`/v1/security-keys/${id}`).expect(403);
    const link = await service.db.transaction((tx) =>
      service.app.get(SignInLinks).create(tx, SYSTEM, 'Robin Keeper', SCOPES),
    );
    const byLink = supertest.agent(service.app.getHttpServer()).set('origin', ORIGIN);
    await byLink.post(new URL(link).pathname).expect(303);
    const told = (await alerts('security_key_removed')).length;
    await byLink.delete(`/v1/security-keys/${id}`).expect(204);
    expect((await alerts('security_key_removed')).slice(told)).toMatchObject([
      { severity: 'warning', open: true, message: expect.stringContaining('Robin Keeper removed a security key of') },
    ]);
    await user.agent.get('/v1/caller').expect(401);
  });

  it('happens with the end of their sign-in, by a withdrawal and by a leave', async () => {
    const { id: personId } = await aPerson(service.db.manager);
    const [withdrawn, leaver] = [await aUser(service.app, 'viewer'), await aUser(service.app, 'viewer', { personId })];
    await register(withdrawn);
    await register(leaver);
    const identities = service.app.get(SignInIdentities);
    const left = () =>
      query<{ id: string }>(
        `SELECT id FROM security_keys WHERE identity_id = ANY($1)`,
        [withdrawn, leaver].map(identityOf),
      );
    expect(await left()).toHaveLength(2);
    await service.db.transaction((tx) => identities.withdraw(tx, SYSTEM, identityOf(withdrawn)));
    expect(await left()).toHaveLength(1);
    await service.db.transaction((tx) => identities.endRightsOfPerson(tx, SYSTEM, personId));
    expect(await left()).toEqual([]);
  });
});
