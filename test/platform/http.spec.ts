import { Body, Controller, Get, Param, Patch, Post, Query, Req, type RawBodyRequest } from '@nestjs/common';
import type { Request } from 'express';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../../src/platform/errors/problem.js';
import { PageQuery, positionOf, toPage, type Page } from '../../src/platform/http/page.js';
import { etagOf, IfMatch, requireChanged } from '../../src/platform/http/versions.js';
import { Allow } from '../../src/platform/sign-in/who-may-call.js';
import { startApp, type TestApp } from './start-app.js';

const CANARY = 'canary-5dC1v-do-not-show';
const NewThing = z.strictObject({
  name: z.string().min(1),
  owner: z.object({ email: z.email() }),
  'a/b~c': z.int().optional(),
});
type NewThing = z.infer<typeof NewThing>;

const NAMES = ['ada', 'berta', 'berta', 'carla', 'dora'].map((key, index) => ({
  key,
  id: `00000000-0000-7000-8000-00000000000${index}`,
}));

@Controller()
class ThingsController {
  private version = 3;

  constructor(private readonly db: DataSource) {}

  @Post('v1/things')
  @Allow('people:write')
  create(@Body({ schema: NewThing }) body: NewThing): NewThing {
    return body;
  }

  @Get('v1/things')
  @Allow('people:read')
  list(@Query({ schema: PageQuery }) query: PageQuery): Page<string> {
    const from = positionOf(query.cursor, z.string().regex(/^[a-z]+$/));
    const rows = NAMES.filter(({ key, id }) => !from || key > from.key || (key === from.key && id > from.id));
    return toPage(
      rows.slice(0, query.limit + 1),
      query.limit,
      (row) => row,
      ({ key }) => key,
    );
  }

  @Get('v1/things/:id')
  @Allow('people:read')
  find(@Param('id', { schema: z.uuid() }) id: string): never {
    throw new Problem('not-found', `There is no thing ${id}.`);
  }

  @Patch('v1/things')
  @Allow('people:write')
  change(@IfMatch() version: number): { etag: string } {
    requireChanged(version === this.version ? 1 : 0);
    this.version += 1;
    return { etag: etagOf(this.version) };
  }

  @Get('v1/crash')
  @Allow('people:read')
  crash(): never {
    throw new Error(`unforeseen`, {
      cause: new Error(`token ${'x'.repeat(20)}${CANARY.replaceAll('-', '')}${'x'.repeat(20)}`),
    });
  }

  @Get('v1/bad-query')
  @Allow('people:read')
  async badQuery(): Promise<unknown> {
    return this.db.query(`SELECT $1::uuid`, [CANARY]);
  }

  @Post('v1/texts')
  @Allow('people:write')
  async text(@Body({ schema: z.object({ text: z.string() }) }) body: { text: string }): Promise<unknown> {
    return this.db.query(`SELECT $1::text AS text`, [body.text]);
  }

  @Post('hooks/echo')
  @Allow('people:write')
  hook(@Req() request: RawBodyRequest<Request>): { bytes: string | undefined } {
    return { bytes: request.rawBody?.toString('utf8') };
  }
}

describe('the HTTP door', () => {
  let test: TestApp;
  let auth: [string, string];

  beforeAll(async () => {
    test = await startApp([ThingsController]);
    auth = ['Authorization', `Bearer ${(await test.token('people:read', 'people:write')).token}`];
  });
  afterAll(() => test?.close());

  const post = (path: string) => test.agent.post(path).set(...auth);
  const get = (path: string) => test.agent.get(path).set(...auth);

  describe('problems', () => {
    it('are RFC 9457 documents that carry the request id of the header', async () => {
      const answer = await get('/v1/things/00000000-0000-7000-8000-000000000000').expect(404);
      expect(answer.type).toBe('application/problem+json');
      expect(answer.body).toEqual({
        type: '/problems/not-found',
        title: 'There is no such thing',
        status: 404,
        detail: 'There is no thing 00000000-0000-7000-8000-000000000000.',
        instance: answer.headers['x-request-id'],
      });
    });

    it('point at each field that is wrong, in a sentence', async () => {
      const answer = await post('/v1/things')
        .send({ name: '', owner: { email: 'nobody' }, 'a/b~c': 1.5, extra: true })
        .expect(400);
      expect(answer.body.type).toBe('/problems/invalid-request');
      expect(answer.body.errors).toEqual(
        expect.arrayContaining([
          { pointer: '/name', detail: 'This must not be empty.' },
          { pointer: '/owner/email', detail: 'This has to be an e-mail address.' },
          { pointer: '/a~1b~0c', detail: 'This has to be a whole number.' },
          { pointer: '', detail: 'This has fields that are not known here: extra.' },
        ]),
      );
    });

    it('say which field is missing', async () => {
      const answer = await post('/v1/things').send({ name: 'x' }).expect(400);
      expect(answer.body.errors).toEqual([{ pointer: '/owner', detail: 'This is required.' }]);
    });

    it('point at parameters of the path and the query', async () => {
      expect((await get('/v1/things/7').expect(400)).body.errors[0].pointer).toBe('/path/id');
      expect((await get('/v1/things?limit=201').expect(400)).body.errors[0].pointer).toBe('/query/limit');
    });

    it('answer a body that is not JSON with 400 and do not quote it', async () => {
      const answer = await post('/v1/things')
        .set('Content-Type', 'application/json')
        .send(`{"x": ${CANARY}`)
        .expect(400);
      expect(answer.body).toMatchObject({ type: '/problems/invalid-request', detail: 'The body is not valid JSON.' });
      expect(answer.text).not.toContain(CANARY);
    });

    it('answer a body above 256 kB with 413', async () => {
      const answer = await post('/v1/things')
        .send({ name: 'x'.repeat(257 * 1024) })
        .expect(413);
      expect(answer.body.type).toBe('/problems/too-large');
    });

    it('answer an unknown address with 404', async () => {
      expect((await get('/v1/nothing').expect(404)).body.type).toBe('/problems/not-found');
    });

    it('answer a NUL character, which PostgreSQL can not store, with 400', async () => {
      await post('/v1/texts').send({ text: 'a\u0000b' }).expect(400);
    });

    it('answer half of a surrogate pair, which is no text and which jsonb refuses, with 400', async () => {
      for (const body of ['{"text":"\\ud800"}', '{"text":"ok","a\\uDFFF":1}']) {
        const answer = await post('/v1/texts').set('Content-Type', 'application/json').send(body).expect(400);
        expect(answer.body.detail).toContain('surrogate');
      }
      await post('/v1/texts').set('Content-Type', 'application/json').send('{"text":"\\ud83d\\ude42"}').expect(201);
    });

    it('tell nothing of what nobody foresaw, and log it under the id', async () => {
      const answer = await get('/v1/crash').expect(500);
      expect(answer.body).toMatchObject({ type: '/problems/internal', instance: answer.headers['x-request-id'] });
      expect(answer.text).not.toContain('unforeseen');
      const line = test
        .log()
        .split('\n')
        .find((entry) => entry.includes('"unforeseen"'));
      expect(line).toContain(answer.body.instance);
    });
  });

  describe('the log', () => {
    it('never holds a body, a query, a token in a path or header, nor what a database error quotes', async () => {
      await post('/v1/things').send({ name: CANARY }).expect(400);
      await get(`/v1/things?name=${CANARY}`).expect(200);
      await get(`/v1/things/${CANARY}${'z'.repeat(43)}`).expect(400);
      await test.agent
        .get('/v1/things')
        .set('Cookie', `quartermaster=${CANARY}`)
        .set('Authorization', `Bearer ${CANARY}`)
        .expect(401);
      await post(`/hooks/echo`).set('Content-Type', 'text/plain').send(CANARY).expect(201);
      const failed = await get('/v1/bad-query').expect(500);
      expect(failed.text).not.toContain(CANARY);
      expect(test.log()).toContain('22P02');
      expect(test.log()).not.toContain('canary');
      expect(test.log()).not.toContain(auth[1]);
    });

    it('has a line for each request with its id, path and status', async () => {
      const answer = await get('/v1/things').expect(200);
      const line = test
        .log()
        .split('\n')
        .find((entry) => entry.includes(`"id":"${answer.headers['x-request-id']}"`));
      expect(JSON.parse(line ?? '{}')).toMatchObject({ req: { path: '/v1/things' }, res: { status: 200 } });
    });
  });

  describe('webhooks', () => {
    it('get the bytes as they were sent, whatever they are', async () => {
      const answer = await post('/hooks/echo')
        .set('Content-Type', 'application/json')
        .send('{ "not": json')
        .expect(201);
      expect(answer.body).toEqual({ bytes: '{ "not": json' });
    });

    it('may have 256 kB at most', async () => {
      await post('/hooks/echo')
        .set('Content-Type', 'text/plain')
        .send('x'.repeat(257 * 1024))
        .expect(413);
    });
  });

  describe('pages', () => {
    it('give every row once, rows with the same sort key too', async () => {
      const seen: string[] = [];
      let path: string | null = '/v1/things?limit=2';
      while (path) {
        const page: Page<string> = (await get(path).expect(200)).body;
        seen.push(...page.items);
        path = page.next && `/v1/things?limit=2&cursor=${page.next}`;
      }
      expect(seen).toEqual(['ada', 'berta', 'berta', 'carla', 'dora']);
    });

    it.each([
      'x',
      'bm90IGpzb24',
      Buffer.from('["1; DROP","00000000-0000-7000-8000-000000000000"]').toString('base64url'),
    ])('refuse a cursor that no page gave: %s', async (cursor) => {
      const answer = await get(`/v1/things?cursor=${cursor}`).expect(400);
      expect(answer.body.errors).toEqual([expect.objectContaining({ pointer: '/query/cursor' })]);
    });
  });

  describe('updates', () => {
    const patch = () => test.agent.patch('/v1/things').set(...auth);

    it('need If-Match', async () => {
      expect((await patch().expect(428)).body.type).toBe('/problems/precondition-required');
      await patch().set('If-Match', '*').expect(428);
    });

    it('refuse a version that is not the newest, and take the newest once', async () => {
      await patch().set('If-Match', '"2"').expect(412);
      await patch().set('If-Match', 'W/"3"').expect(412);
      expect((await patch().set('If-Match', '"3"').expect(200)).body.etag).toBe('"4"');
      await patch().set('If-Match', '"3"').expect(412);
    });

    it('refuse an If-Match that is no ETag', async () => {
      await patch().set('If-Match', '3').expect(400);
    });
  });

  it('lets nobody keep what it tells about people', async () => {
    await get('/v1/things').expect(200).expect('Cache-Control', 'no-store');
  });

  it('sends headers that keep browsers from guessing and from running foreign scripts', async () => {
    const { headers } = await test.agent.get('/docs').expect(200);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('serves its description and a page for it that loads nothing from elsewhere', async () => {
    const document = (await test.agent.get('/openapi.json').expect(200)).body;
    expect(document.openapi).toBe('3.1.0');
    expect(document.paths['/v1/things'].post.requestBody.content['application/json'].schema).toBeDefined();
    expect(document.paths['/v1/things'].post.responses.default.content).toHaveProperty('application/problem+json');
    expect(document.paths['/v1/things'].post.parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key' }),
    );
    const page = (await test.agent.get('/docs').expect(200)).text;
    expect(page).not.toMatch(/https?:/);
    for (const [, path] of page.matchAll(/(?:src|href)="([^"]+)"/g)) await test.agent.get(path ?? '').expect(200);
    await test.agent.get('/docs/package.json').expect(404);
  });
});
