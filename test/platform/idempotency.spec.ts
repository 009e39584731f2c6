import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../../src/platform/errors/problem.js';
import { IdempotencyKeys } from '../../src/platform/http/idempotency-keys.service.js';
import { Idempotent } from '../../src/platform/http/idempotent.js';
import { Allow } from '../../src/platform/sign-in/who-may-call.js';
import { waitFor } from '../support/wait-for.js';
import { startApp, type TestApp } from './start-app.js';

const Order = z.object({ item: z.string() });
type Order = z.infer<typeof Order>;

let orders: string[] = [];
let gate: Promise<void> | null = null;

@Controller('v1')
class OrdersController {
  @Post('orders')
  @Allow('devices:write')
  @HttpCode(202)
  async order(
    @Body({ schema: Order }) { item }: Order,
    @Res({ passthrough: true }) response: Response,
  ): Promise<object> {
    if (gate) await gate;
    if (item === 'refused') throw new Problem('conflict', 'It is out of stock.');
    orders.push(item);
    response.setHeader('ETag', `"${orders.length}"`).setHeader('Location', `/v1/orders/${orders.length}`);
    return { number: orders.length };
  }

  @Post('returns')
  @Allow('devices:write')
  @Idempotent('required')
  returns(): object {
    return {};
  }

  @Post('secrets')
  @Allow('devices:write')
  @Idempotent('never-stored')
  secret(): object {
    return { secret: 'shown once' };
  }

  @Post('nothing')
  @Allow('devices:write')
  @HttpCode(204)
  nothing(): void {
    orders.push('nothing');
  }
}

describe('an Idempotency-Key', () => {
  let test: TestApp;
  let token: string;

  beforeAll(async () => {
    test = await startApp([OrdersController]);
    token = (await test.token('devices:write')).token;
  });
  afterAll(() => test?.close());

  const post = (path: string, key?: string, as = token) => {
    const request = test.agent.post(path).set('Authorization', `Bearer ${as}`);
    return key === undefined ? request : request.set('Idempotency-Key', key);
  };

  it('has the same request done once, and answers it the same way again', async () => {
    orders = [];
    const first = await post('/v1/orders', 'k1').send({ item: 'laptop' }).expect(202);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    const again = await post('/v1/orders', 'k1').send({ item: 'laptop' }).expect(202);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(again.headers['etag']).toBe(first.headers['etag']);
    expect(again.headers['location']).toBe(first.headers['location']);
    expect(orders).toEqual(['laptop']);
  });

  it('replays an answer without a body', async () => {
    orders = [];
    await post('/v1/nothing', 'k-nothing').expect(204);
    await post('/v1/nothing', 'k-nothing').expect(204).expect('Idempotency-Replayed', 'true');
    expect(orders).toEqual(['nothing']);
  });

  it('with another body, or at another address, is refused with 422', async () => {
    orders = [];
    await post('/v1/orders', 'k2').send({ item: 'laptop' }).expect(202);
    const other = await post('/v1/orders', 'k2').send({ item: 'mouse' }).expect(422);
    expect(other.body.type).toBe('/problems/idempotency-key-reused');
    await post('/v1/returns', 'k2').send({ item: 'laptop' }).expect(422);
    expect(orders).toEqual(['laptop']);
  });

  it('of another caller is another key', async () => {
    orders = [];
    const other = (await test.token('devices:write')).token;
    await post('/v1/orders', 'k3').send({ item: 'laptop' }).expect(202);
    await post('/v1/orders', 'k3', other).send({ item: 'mouse' }).expect(202);
    expect(orders).toEqual(['laptop', 'mouse']);
  });

  it('answers 409 while the first request is being worked on, and the answer afterwards', async () => {
    orders = [];
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const first = post('/v1/orders', 'k4')
      .send({ item: 'laptop' })
      .then((answer) => answer);
    await waitFor('the first request is under way', async () => {
      const [row] = await test.db.query<unknown[]>(`SELECT 1 FROM idempotency_keys WHERE key = 'k4'`);
      return row !== undefined;
    });
    const meanwhile = await post('/v1/orders', 'k4').send({ item: 'laptop' }).expect(409);
    expect(meanwhile.body.type).toBe('/problems/request-in-flight');
    expect(meanwhile.headers['retry-after']).toBe('1');
    gate = null;
    open();
    expect((await first).status).toBe(202);
    await post('/v1/orders', 'k4').send({ item: 'laptop' }).expect(202).expect('Idempotency-Replayed', 'true');
    expect(orders).toEqual(['laptop']);
  });

  it('of a process that died is free again after 30 s, and its late answer does not replace the new one', async () => {
    const keys = test.app.get(IdempotencyKeys);
    const request = { actorId: 'a', key: 'k5', route: 'POST /v1/orders', bodyDigest: Buffer.from('x') };
    const dead = await keys.claim(request);
    await expect(keys.claim(request)).rejects.toMatchObject({ kind: 'request-in-flight' });
    const lock = await test.db.query<{ seconds: number }[]>(
      `SELECT extract(epoch FROM locked_until - now())::float AS seconds FROM idempotency_keys WHERE key = 'k5'`,
    );
    expect(lock[0]?.seconds).toBeGreaterThan(25);
    expect(lock[0]?.seconds).toBeLessThanOrEqual(30);
    await test.db.query(
      `UPDATE idempotency_keys SET locked_until = locked_until - interval '31 seconds' WHERE key = 'k5'`,
    );
    const next = await keys.claim(request);
    if (dead.kind !== 'ours' || next.kind !== 'ours') throw new Error('both have to be claims');
    await keys.keep(request, next.lock, { status: 201, headers: {}, body: 'new' });
    await keys.keep(request, dead.lock, { status: 201, headers: {}, body: 'late' });
    expect(await keys.claim(request)).toMatchObject({ kind: 'answered', answer: { body: 'new' } });
  });

  it('of a request that failed may be used again', async () => {
    orders = [];
    await post('/v1/orders', 'k6').send({ item: 'refused' }).expect(409);
    await post('/v1/orders', 'k6').send({ item: 'laptop' }).expect(202);
    expect(orders).toEqual(['laptop']);
  });

  it('that is a day old stands for nothing any more', async () => {
    orders = [];
    await post('/v1/orders', 'k7').send({ item: 'laptop' }).expect(202);
    await test.db.query(`UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE key = 'k7'`);
    await post('/v1/orders', 'k7').send({ item: 'mouse' }).expect(202);
    expect(orders).toEqual(['laptop', 'mouse']);
  });

  it('that is a day old is deleted, a younger one is not', async () => {
    await post('/v1/orders', 'old').send({ item: 'laptop' }).expect(202);
    await post('/v1/orders', 'young').send({ item: 'laptop' }).expect(202);
    await test.db.query(`UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE key = 'old'`);
    const remaining = async () =>
      (await test.db.query<{ key: string }[]>(`SELECT key FROM idempotency_keys WHERE key IN ('old', 'young')`)).length;
    expect(await remaining()).toBe(2);
    await test.app.get(IdempotencyKeys).forgetOld();
    expect(await remaining()).toBe(1);
    await post('/v1/orders', 'young').send({ item: 'laptop' }).expect(202).expect('Idempotency-Replayed', 'true');
  });

  it('is required where the route says so, and optional elsewhere', async () => {
    const answer = await post('/v1/returns').expect(400);
    expect(answer.body.errors[0].pointer).toBe('/header/idempotency-key');
    await post('/v1/returns', 'k8').expect(201);
    await post('/v1/orders').send({ item: 'laptop' }).expect(202);
  });

  it('is refused where the answer shows a secret, which is stored nowhere', async () => {
    const answer = await post('/v1/secrets', 'k9').expect(400);
    expect(answer.body.detail).toContain('shows a secret');
    await post('/v1/secrets').expect(201, { secret: 'shown once' });
    const stored = await test.db.query<object[]>(`SELECT * FROM idempotency_keys`);
    expect(JSON.stringify(stored)).not.toContain('shown once');
  });

  it('has to be visible ASCII of at most 255 characters', async () => {
    await post('/v1/orders', 'x'.repeat(256)).send({ item: 'laptop' }).expect(400);
    await post('/v1/orders', 'a b').send({ item: 'laptop' }).expect(400);
  });
});
