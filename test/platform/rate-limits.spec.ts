import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecretToken } from '../../src/platform/sign-in/secret-token.js';
import { aDevice } from '../factories/devices.js';
import { anHrEmployee, hasJoined } from '../factories/hr-events.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { waitFor } from '../support/wait-for.js';

const FAILURES = 5;
const REQUESTS = 20;

describe('rate limits', () => {
  let service: ServiceApp;

  beforeAll(async () => {
    service = await startServiceApp({
      env: {
        RATE_LIMIT_FAILURES: String(FAILURES),
        RATE_LIMIT_REQUESTS: String(REQUESTS),
        TRUST_PROXY: 'loopback',
      },
    });
  });
  afterAll(() => service?.close());

  const wrong = (from: string) =>
    service.stranger
      .get('/v1/people')
      .set('X-Forwarded-For', from)
      .set('Authorization', `Bearer qm_01234567_${newSecretToken()}`);
  const failTooOften = async (from: string): Promise<void> => {
    for (let count = 0; count < FAILURES; count += 1) await wrong(from).expect(401);
    await wrong(from).expect(429);
  };

  it('tell whoever shows wrong tokens to wait, and for how long', async () => {
    for (let count = 0; count < FAILURES; count += 1) await wrong('192.0.2.1').expect(401);
    const answer = await wrong('192.0.2.1').expect(429);
    expect(answer.type).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ type: '/problems/too-many-requests', status: 429 });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(60);
    await wrong('192.0.2.2').expect(401);
  });

  it('let a token that opened something before go on from the same address, and no token that nobody has seen', async () => {
    const [known, fresh] = [await service.caller('known'), await service.caller('fresh')];
    await known.get('/v1/people').set('X-Forwarded-For', '192.0.2.9').expect(200);
    await failTooOften('192.0.2.9');
    await known.get('/v1/people').set('X-Forwarded-For', '192.0.2.9').expect(200);
    await fresh.get('/v1/people').set('X-Forwarded-For', '192.0.2.9').expect(429);
    await fresh.get('/v1/people').set('X-Forwarded-For', '192.0.2.10').expect(200);
  });

  it('never keep a lost device from being reported, whatever failed at that address', async () => {
    await failTooOften('192.0.2.20');
    const holder = await aPerson(service.db.manager);
    const device = await aDevice(service.db.manager, { holderId: holder.id });
    const caller = await service.caller('at 3 a.m.');
    await caller
      .post('/v1/lost-devices')
      .set('X-Forwarded-For', '192.0.2.20')
      .send({ deviceId: device.id })
      .expect(202);
  });

  it('never keep a webhook out whose signature is right', async () => {
    const headers = { 'X-Forwarded-For': '192.0.2.30' };
    const event = () => hasJoined(anHrEmployee());
    for (let count = 0; count < FAILURES; count += 1)
      await service.post(event(), { signedBody: 'x', headers }).expect(401);
    const refused = await service.post(event(), { signedBody: 'x', headers }).expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await service.post(event(), { headers }).expect(202);
  });

  it('count one-time links apart from tokens', async () => {
    await failTooOften('192.0.2.40');
    const open = (before = '/sign-in/', behind = '') =>
      service.stranger.get(`${before}${newSecretToken()}${behind}`).set('X-Forwarded-For', '192.0.2.40');
    for (let count = 0; count <= FAILURES; count += 1) await open().expect(410);
    await open().expect(429);
    // However it is written, it is the same door.
    await open('/sign-in/', '/').expect(429);
    await open('/Sign-In/').expect(429);
  });

  it('count an IPv6 line as one, however many addresses it has', async () => {
    for (let count = 0; count < FAILURES; count += 1) await wrong(`2001:db8:1:2::${count}`).expect(401);
    await wrong('2001:db8:1:2:ffff::1').expect(429);
    await wrong('2001:db8:1:3::1').expect(401);
  });

  it('hold back a caller that asks without end, and no other caller', async () => {
    const [eager, other] = [await service.caller('eager'), await service.caller('other')];
    for (let count = 0; count < REQUESTS; count += 1) await eager.get('/v1/sites').expect(200);
    const answer = await eager.get('/v1/sites').expect(429);
    expect(answer.body.detail).toMatch(/Try again in \d+ s/);
    await other.get('/v1/sites').expect(200);
    // What ends access is never held back.
    const person = await aPerson(service.db.manager);
    await eager.post('/v1/leavers').send({ personId: person.id, reason: 'now' }).expect(202);
  });

  it('ask nothing of whoever shows nothing: that is no try', async () => {
    for (let count = 0; count <= FAILURES + 1; count += 1) {
      await service.stranger.get('/v1/people').set('X-Forwarded-For', '192.0.2.50').expect(401);
    }
  });

  it('write down each failed sign-in with its address, and never the token (I7)', async () => {
    const token = newSecretToken();
    await service.stranger
      .get('/v1/people')
      .set('X-Forwarded-For', '192.0.2.60')
      .set('Authorization', `Bearer qm_01234567_${token}`)
      .expect(401);
    const line = service
      .log()
      .split('\n')
      .find((one) => one.includes('"address":"192.0.2.60"'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ door: 'sign-in', path: '/v1/people', msg: 'a sign-in failed' });
    // A link's token stands in its path.
    await service.stranger.get(`/sign-in/${token}`).set('X-Forwarded-For', '192.0.2.60').expect(410);
    await waitFor('the link is written down', () => service.log().includes('"door":"link","address":"192.0.2.60"'));
    expect(service.log()).not.toContain(token);
  });
});
