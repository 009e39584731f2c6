import { Controller, Get } from '@nestjs/common';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids/new-id.js';
import { opens } from '../../src/platform/roles/describe-roles.js';
import { ROLES } from '../../src/platform/roles/roles.js';
import { RouteCheck, type DeclaredRoute } from '../../src/platform/sign-in/route-check.js';
import { aUser } from '../factories/identities.js';
import { aRoleHolder } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { startApp } from './start-app.js';

/** A thing that isn't there, so that what may be called changes nothing. */
const NOTHING: Record<string, string> = { sha256: 'a'.repeat(64), name: 'nowhere', computer: 'none', file: 'none.js' };

describe('every route, for every role', () => {
  let service: ServiceApp;
  let address: string;
  let routes: DeclaredRoute[];
  beforeAll(async () => {
    service = await startServiceApp();
    await service.app.listen(0, '127.0.0.1');
    address = `http://127.0.0.1:${(service.app.getHttpServer().address() as AddressInfo).port}`;
    routes = service.app.get(RouteCheck).routes();
  });
  afterAll(() => service?.close());

  const call = async (route: DeclaredRoute, token?: string): Promise<number> =>
    (await answerTo(route, token === undefined ? {} : { authorization: `Bearer ${token}` })).status;

  const answerTo = async ({ route }: DeclaredRoute, signIn: Record<string, string>) => {
    const [method = '', path = ''] = route.split(' ');
    const named = path.replaceAll(/:(\w+)/g, (_all, name: string) => NOTHING[name] ?? newId());
    const answer = await fetch(address + named, {
      method,
      redirect: 'manual',
      headers: {
        ...signIn,
        'content-type': 'application/json',
        'if-match': '"1"',
      },
      ...(method !== 'GET' && method !== 'HEAD' && { body: '{}' }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  it('covers more routes than anybody would list by hand, public ones among them', () => {
    expect(routes.length).toBeGreaterThan(70);
    expect(routes.filter(({ isPublic }) => isPublic).length).toBeGreaterThan(5);
  });

  it.each(ROLES)('%s: forbidden where the matrix says no, and not where it says yes', async (role) => {
    const { token } = await aRoleHolder(service.app, role);
    const wrong: string[] = [];
    for (const route of routes.filter(({ isPublic }) => !isPublic)) {
      const status = await call(route, token);
      const isRight = opens(role, route) ? status !== 401 && status !== 403 && status < 500 : status === 403;
      if (!isRight) wrong.push(`${route.route} answers ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('a narrowed role gets to no route that doesn’t heed the narrowing, and to every other', async () => {
    const holder = await aRoleHolder(service.app, 'security', { department: 'Sales' });
    const wrong: string[] = [];
    for (const route of routes.filter((one) => !one.isPublic && opens('security', one))) {
      const status = await call(route, holder.token);
      if ((status === 403) !== !route.heedsReach) wrong.push(`${route.route} answers ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('without a sign-in, with a role that ended, or with none: nothing but what is public', async () => {
    const ended = await aRoleHolder(service.app, 'owner');
    await service.db.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE id = $1`, [
      ended.assignmentId,
    ]);
    const wrong: string[] = [];
    for (const route of routes.filter(({ isPublic }) => !isPublic)) {
      const statuses = [await call(route), await call(route, ended.token)];
      if (statuses.join() !== '401,403') wrong.push(`${route.route} answers ${statuses.join()}`);
    }
    expect(wrong).toEqual([]);
  });

  it('a browser that stood open gets to no route that asks for a fresh sign-in, and to every other', async () => {
    const owner = await aUser(service.app, 'owner');
    await service.db.query(`UPDATE browser_sessions SET authenticated_at = now() - interval '11 minutes'`);
    const wrong: string[] = [];
    for (const route of routes.filter(({ isPublic }) => !isPublic)) {
      const { status, text } = await answerTo(route, owner.headers);
      if (text.includes('step-up-required') !== route.needsFreshSignIn) wrong.push(`${route.route} answers ${status}`);
    }
    expect(wrong).toEqual([]);
    expect(
      routes
        .filter(({ needsFreshSignIn }) => needsFreshSignIn)
        .map(({ route }) => route)
        .toSorted(),
    ).toEqual([
      'DELETE /v1/audit/witnesses/:id',
      'DELETE /v1/caller/security-keys/:id',
      'DELETE /v1/hr-sources/:name/secrets/:id',
      'DELETE /v1/security-keys/:id',
      'DELETE /v1/tools/:id/lockdown',
      'PATCH /v1/tools/:id',
      'POST /v1/approvals/:id/approve',
      'POST /v1/audit/witnesses',
      'POST /v1/brakes/:id/discard',
      'POST /v1/brakes/:id/release',
      'POST /v1/caller/security-keys',
      'POST /v1/caller/security-keys/request',
      'POST /v1/devices/:id/recovery-keys/:key/reveal',
      'POST /v1/hr-sources',
      'POST /v1/hr-sources/:name/secrets',
      'POST /v1/images/release-keys',
      'POST /v1/images/versions/:id/deprecate',
      'POST /v1/images/versions/:id/publish',
      'POST /v1/images/versions/:id/withdraw',
      'POST /v1/lost-devices/:caseId/assessment',
      'POST /v1/lost-devices/:caseId/commands/:id/progress',
      'POST /v1/lost-devices/:caseId/containment',
      'POST /v1/lost-devices/:caseId/restore',
      'POST /v1/lost-devices/:caseId/unlock',
      'POST /v1/recovery-key-reveals',
      'POST /v1/recovery-key-reveals/:id/read',
      'POST /v1/role-assignments',
      'POST /v1/role-assignments/:id/end',
      'POST /v1/tokens',
      'POST /v1/tools',
      'POST /v1/tools/:id/pause',
      'PUT /v1/brake-limits/:kind',
      'PUT /v1/runbooks/laptop-lost',
    ]);
  });

  it('fails for a route that nobody declared: the service with it does not even start', async () => {
    @Controller('v1/undeclared')
    class Undeclared {
      @Get()
      read(): string {
        return 'anybody could read this';
      }
    }
    await expect(startApp([Undeclared])).rejects.toThrow('GET /v1/undeclared');
  });
});
