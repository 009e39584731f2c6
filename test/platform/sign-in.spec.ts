import { Controller, Get, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES, SYSTEM, type Actor } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { checkRoutes, RouteDeclarationError } from '../../src/platform/sign-in/route-check.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import { Allow, CurrentActor, Public } from '../../src/platform/sign-in/who-may-call.js';
import { PLATFORM_ROUTES, startApp, type TestApp } from './start-app.js';

@Controller('v1/me')
class MeController {
  @Get()
  @Allow('people:read')
  read(@CurrentActor() actor: Actor): Actor {
    return actor;
  }

  @Post()
  @Allow('people:write')
  write(@CurrentActor() actor: Actor): Actor {
    return actor;
  }
}

@Controller('v1/undeclared')
class UndeclaredController {
  @Get()
  read(): string {
    return 'anybody could read this';
  }
}

@Controller('v1/open')
class OpenController {
  @Get()
  @Public()
  read(): string {
    return 'nobody reviewed this';
  }
}

@Controller('v1/both')
class BothController {
  @Get()
  @Public()
  @Allow('people:read')
  read(): string {
    return 'which one?';
  }
}

describe('who may call', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startApp([MeController]);
  });
  afterAll(() => test?.close());

  const read = (token: string) => test.agent.get('/v1/me').set('Authorization', `Bearer ${token}`);
  const row = async (id: string): Promise<Record<string, unknown>> =>
    (await test.db.query<Record<string, unknown>[]>('SELECT * FROM api_tokens WHERE id = $1', [id]))[0] ?? {};

  describe('API tokens', () => {
    it('let in who holds the scope, and say who it is', async () => {
      const { id, token } = await test.token('people:read');
      expect((await read(token).expect(200)).body).toEqual({
        kind: 'service',
        id,
        name: 'test',
        scopes: ['people:read'],
        from: { via: 'rest', requestId: expect.any(String), address: '127.0.0.1', onBehalfOf: 'tests' },
      });
    });

    it('of another scope are refused with 403, naming the scope', async () => {
      const { token } = await test.token('devices:read');
      const answer = await read(token).expect(403);
      expect(answer.body).toMatchObject({
        type: '/problems/forbidden',
        detail: expect.stringContaining('people:read'),
      });
    });

    it('that are missing, malformed or unknown get 401', async () => {
      const answer = await test.agent.get('/v1/me').expect(401);
      expect(answer.body.type).toBe('/problems/unauthenticated');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      await read('nonsense').expect(401);
      await read(`qm_00000000_${'a'.repeat(43)}`).expect(401);
      await test.agent.get('/v1/me').set('Authorization', 'Basic eDp5').expect(401);
    });

    it('open nothing once they are revoked or expired', async () => {
      const { id, token } = await test.token('people:read');
      await read(token).expect(200);
      await test.db.transaction((tx) => test.app.get(ApiTokens).revoke(tx, SYSTEM, id));
      await read(token).expect(401);

      const other = await test.token('people:read');
      await read(other.token).expect(200);
      await test.db.query(`UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE id = $1`, [other.id]);
      await read(other.token).expect(401);
    });

    it('are kept as a hash, and look like qm_<8 of the id>_<256 bits>', async () => {
      const { id, token } = await test.token('people:read');
      expect(token).toMatch(new RegExp(`^qm_${id.slice(-8)}_[A-Za-z0-9_-]{43}$`));
      expect(JSON.stringify(await row(id))).not.toContain(token.slice(12));
      expect((await row(id))['token_hash']).toHaveLength(32);
    });

    it('note their use once a minute at most', async () => {
      const { id, token } = await test.token('people:read');
      expect((await row(id))['last_used_at']).toBeNull();
      await read(token).expect(200);
      const first = (await row(id))['last_used_at'];
      expect(first).toBeInstanceOf(Date);
      await read(token).expect(200);
      expect((await row(id))['last_used_at']).toEqual(first);
      await test.db.query(`UPDATE api_tokens SET last_used_at = now() - interval '61 seconds' WHERE id = $1`, [id]);
      await read(token).expect(200);
      expect(((await row(id))['last_used_at'] as Date).getTime()).toBeGreaterThanOrEqual((first as Date).getTime());
    });

    it('leave an audit entry without the token, the owner apart and committed to', async () => {
      const { id, token } = await test.token('people:read');
      const [entry] = await test.db.query<Record<string, unknown>[]>(
        `SELECT e.*, f.value FROM audit_entries e JOIN audit_personal_fields f ON f.entry_id = e.id WHERE subject_id = $1`,
        [id],
      );
      expect(entry).toMatchObject({ action: 'token.created', value: 'tests' });
      expect(JSON.stringify(entry)).not.toContain(token);
    });
  });

  describe('sign-in links', () => {
    const newPath = async (name = 'ada <admin>') => {
      const url = await test.db.transaction((tx) => test.app.get(SignInLinks).create(tx, SYSTEM, name, SCOPES));
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:3000\/sign-in\/[A-Za-z0-9_-]{43}$/);
      return new URL(url).pathname;
    };
    const use = (path: string) => test.agent.post(path).set('Sec-Fetch-Site', 'same-origin');
    const cookieOf = (answer: { headers: Record<string, unknown> }) =>
      String((answer.headers['set-cookie'] as string[])[0]);

    it('are not used up by looking, show whom they sign in, and sign in once', async () => {
      const path = await newPath();
      for (let looks = 0; looks < 2; looks += 1) {
        const page = await test.agent.get(path).expect(200);
        expect(page.type).toBe('text/html');
        expect(page.text).toContain('ada &#60;admin&#62;');
        expect(page.headers['set-cookie']).toBeUndefined();
      }
      const signedIn = await use(path).expect(303);
      expect(cookieOf(signedIn)).toMatch(
        /^quartermaster=[\w-]{43}; Max-Age=43200; Path=\/; .*HttpOnly; SameSite=Strict$/,
      );
      await use(path).expect(410);
      await test.agent.get(path).expect(410);
    });

    it('sign in from our own pages only: another site can sign nobody in as somebody else', async () => {
      const path = await newPath();
      await test.agent.post(path).set('Sec-Fetch-Site', 'cross-site').expect(403);
      await test.agent.post(path).set('Origin', 'https://elsewhere.example').expect(403);
      await test.agent.post(path).expect(403);
      // Over plain http a browser tells nothing but the origin, and that only where the page lets it.
      expect((await test.agent.get(path).expect(200)).headers['referrer-policy']).toBe('strict-origin');
      await test.agent.post(path).set('Origin', 'http://127.0.0.1:3000').expect(303);
    });

    it('give one session when two browsers use them at the same moment', async () => {
      const path = await newPath();
      const answers = await Promise.all([1, 2, 3].map(() => use(path)));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 410, 410]);
    });

    it('end after ten minutes', async () => {
      const path = await newPath();
      await test.db.query(
        `UPDATE sign_in_links SET expires_at = expires_at - interval '10 minutes' WHERE used_at IS NULL`,
      );
      await test.agent.get(path).expect(410);
      await use(path).expect(410);
    });

    it('never appear in the log', async () => {
      const path = await newPath();
      const cookie = cookieOf(await use(path).expect(303));
      await test.agent.get('/v1/me').set('Cookie', cookie).expect(200);
      expect(test.log()).not.toContain(path.split('/')[2]);
      expect(test.log()).not.toContain(/=([\w-]{43})/.exec(cookie)?.[1]);
    });

    it('start a session of an admin with all scopes, which ends after 12 hours', async () => {
      const cookie = cookieOf(await use(await newPath('ada')).expect(303));
      const answer = await test.agent.get('/v1/me').set('Cookie', cookie).expect(200);
      expect(answer.body).toEqual({
        kind: 'admin',
        id: 'admin:ada',
        name: 'ada',
        scopes: [...SCOPES],
        from: { via: 'rest', requestId: answer.headers['x-request-id'], address: '127.0.0.1' },
      });
      await test.db.query(`UPDATE browser_sessions SET expires_at = expires_at - interval '12 hours'`);
      await test.agent.get('/v1/me').set('Cookie', cookie).expect(401);
    });

    it('start a session that ends after half an hour without a request, and after no less', async () => {
      const cookie = cookieOf(await use(await newPath('ada')).expect(303));
      const idleFor = (minutes: number) =>
        test.db.query(`UPDATE browser_sessions SET last_seen_at = now() - make_interval(mins => $1)`, [minutes]);
      await idleFor(29);
      await test.agent.get('/v1/me').set('Cookie', cookie).expect(200);
      const [seen] = await test.db.query<{ ago: number }[]>(
        `SELECT extract(epoch FROM now() - last_seen_at)::int AS ago FROM browser_sessions ORDER BY id DESC LIMIT 1`,
      );
      expect(seen?.ago).toBeLessThan(60);
      await idleFor(31);
      await test.agent.get('/v1/me').set('Cookie', cookie).expect(401);
    });

    it('start a session that a page which asks by itself, while nobody is there, does not keep up', async () => {
      const cookie = cookieOf(await use(await newPath('ada')).expect(303));
      await test.db.query(`UPDATE browser_sessions SET last_seen_at = now() - make_interval(mins => 29)`);
      const byItself = [{ 'X-By-Itself': 'true' }, { Accept: 'text/event-stream' }];
      for (const headers of byItself)
        await test.agent
          .get('/v1/me')
          .set({ cookie, ...headers })
          .expect(200);
      const idle = await test.db.query(
        `SELECT FROM browser_sessions WHERE last_seen_at < now() - interval '28 minutes'`,
      );
      expect(idle).not.toEqual([]);
    });

    it('give a browser that was signed in a new session, and end the old one', async () => {
      const old = cookieOf(await use(await newPath('ada')).expect(303));
      const fresh = cookieOf(
        await use(await newPath('grace'))
          .set('Cookie', old)
          .expect(303),
      );
      expect((await test.agent.get('/v1/me').set('Cookie', fresh).expect(200)).body.name).toBe('grace');
      await test.agent.get('/v1/me').set('Cookie', old).expect(401);
    });

    it('start a session that a sign-out from our own pages ends for good', async () => {
      const cookie = cookieOf(await use(await newPath('ada')).expect(303));
      const signOut = () => test.agent.post('/sign-out').set('Cookie', cookie);
      await signOut().set('Sec-Fetch-Site', 'cross-site').expect(403);
      expect((await test.agent.get('/sign-in').set('Cookie', cookie).expect(200)).text).toContain('signed in');
      const answer = await signOut().set('Sec-Fetch-Site', 'same-origin').expect(200);
      expect(cookieOf(answer)).toMatch(/^quartermaster=; .*Expires=Thu, 01 Jan 1970/);
      await test.agent.get('/v1/me').set('Cookie', cookie).expect(401);
      expect((await test.agent.get('/sign-in').expect(200)).text).toContain('quartermaster sign-in-link');
    });

    it('start a session that changes things from our own pages only', async () => {
      const cookie = cookieOf(await use(await newPath()).expect(303));
      const post = () => test.agent.post('/v1/me').set('Cookie', cookie);
      await post().set('Sec-Fetch-Site', 'same-origin').expect(201);
      await post().set('Origin', 'http://127.0.0.1:3000').expect(201);
      await post().set('Sec-Fetch-Site', 'cross-site').expect(403);
      await post().set('Sec-Fetch-Site', 'same-site').expect(403);
      await post().set('Origin', 'https://elsewhere.example').expect(403);
      await post().expect(403);
    });

    it('do not stand in for a bearer token that is wrong', async () => {
      const cookie = cookieOf(await use(await newPath()).expect(303));
      await test.agent.get('/v1/me').set('Cookie', cookie).set('Authorization', 'Bearer wrong').expect(401);
    });
  });

  describe('the service does not start', () => {
    it('when a route says nowhere who may call it', async () => {
      await expect(startApp([UndeclaredController])).rejects.toThrow(
        /GET \/v1\/undeclared \(UndeclaredController.read\) says nowhere/,
      );
    });

    it('when a public route is not in the committed list', async () => {
      await expect(startApp([OpenController])).rejects.toThrow(/GET \/v1\/open is public but not in public-routes.ts/);
    });

    it('when a route has both declarations', async () => {
      await expect(startApp([BothController])).rejects.toThrow(/GET \/v1\/both \(BothController.read\) has both/);
    });

    it('when the committed list has a route that does not exist', async () => {
      const publicRoutes = [...PLATFORM_ROUTES, 'GET /v1/removed'];
      await expect(startApp([], { publicRoutes })).rejects.toThrow(/GET \/v1\/removed is in public-routes.ts, but/);
    });

    it('when something is served past the controllers', () => {
      expect(() => checkRoutes([], ['GET /metrics'], [])).toThrow(RouteDeclarationError);
      expect(() => checkRoutes([], [], [])).not.toThrow();
    });
  });

  it('behind https the cookie is Secure and bound to the host', async () => {
    const secure = await startApp([MeController], { env: { PUBLIC_URL: 'https://quartermaster.example.com/' } });
    try {
      const url = await secure.db.transaction((tx) => secure.app.get(SignInLinks).create(tx, SYSTEM, 'ada', SCOPES));
      const answer = await secure.agent.post(new URL(url).pathname).set('Sec-Fetch-Site', 'same-origin').expect(303);
      expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-quartermaster=.*; Secure/);
    } finally {
      await secure.close();
    }
  });
});
