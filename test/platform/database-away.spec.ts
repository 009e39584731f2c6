import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Body, Controller, Post } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openGround } from '../../src/ground.js';
import { makeKeyFile } from '../../src/platform/crypto/key-file.js';
import { ImpatientClient } from '../../src/platform/database/impatient-client.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { Allow } from '../../src/platform/sign-in/who-may-call.js';
import { createTestDatabase } from '../support/database.js';
import { hasRedis, startTestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait-for.js';
import { openLink, type FaultyLink } from './faulty-link.js';
import { startApp, type TestApp } from './start-app.js';

const Site = z.object({ name: z.string() });
const Cut = z.object({ before: z.enum(['statement', 'transaction', 'commit']) });

@Controller('v1/sites')
class SitesController {
  constructor(private readonly db: DataSource) {}

  @Post()
  @Allow('people:write')
  async create(@Body({ schema: Site }) { name }: z.infer<typeof Site>): Promise<object> {
    await this.db.transaction((tx) =>
      tx.query(`INSERT INTO sites (id, name, zone) VALUES ($1, $2, 'Europe/Berlin')`, [newId(), name]),
    );
    return {};
  }

  /** Its connection ends between two of its statements, or before an inner transaction. */
  @Post('cut-off')
  @Allow('people:write')
  async createCutOff(@Body({ schema: Cut }) { before }: z.infer<typeof Cut>): Promise<object> {
    await this.db.transaction(async (tx) => {
      await tx.query(`INSERT INTO sites (id, name, zone) VALUES ($1, 'lost', 'Europe/Berlin')`, [newId()]);
      const [backend] = await tx.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
      await this.db.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
      await waitFor('the connection has ended', () => tx.queryRunner?.isReleased);
      if (before === 'statement') await tx.query('SELECT 1');
      if (before === 'transaction') await tx.transaction((inner) => inner.query('SELECT 1'));
    });
    return {};
  }
}

describe('while the database is away', () => {
  let test: TestApp;
  let link: FaultyLink;
  let auth: [string, string];

  beforeEach(async () => {
    link = await openLink();
    test = await startApp([SitesController], { reroute: (url) => link.through(url) });
    auth = ['Authorization', `Bearer ${(await test.token('people:write')).token}`];
  });
  afterEach(async () => {
    await link?.mend();
    await test?.close();
    await link?.close();
  });

  const create = (name: string) =>
    test.agent
      .post('/v1/sites')
      .set(...auth)
      .send({ name });

  it('requests get 503 with a problem and never a 2xx, and work again as soon as it is back', async () => {
    await create('before').expect(201);
    await link.cut();
    for (let tries = 0; tries < 6; tries += 1) {
      const answer = await create('meanwhile').expect(503);
      expect(answer.body.type).toBe('/problems/unavailable');
      expect(answer.headers['retry-after']).toBe('5');
    }
    await link.mend();
    await create('after').expect(201);
    const sites = await test.db.query<{ name: string }[]>('SELECT name FROM sites ORDER BY id');
    expect(sites.map(({ name }) => name)).toEqual(['before', 'after']);
  });

  it('a connection that an administrator ended gives 503 at most, not 500', async () => {
    await create('before').expect(201);
    const admin = new pg.Client(test.database.superuserUrl);
    await admin.connect();
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()`,
    );
    await admin.end();
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => create(name)));
    for (const { status } of answers) expect([201, 503]).toContain(status);
    await create('after').expect(201);
  });

  it.each(['statement', 'transaction', 'commit'])(
    'a transaction whose connection ends before its next %s gives 503, and nothing of it stays',
    async (before) => {
      const answer = await test.agent
        .post('/v1/sites/cut-off')
        .set(...auth)
        .send({ before });
      expect(answer.body).toMatchObject({ type: '/problems/unavailable', status: 503 });
      expect(await test.db.query('SELECT name FROM sites')).toEqual([]);
    },
  );

  it('the service is live and not ready, and says so within seconds when the database hangs', async () => {
    await test.agent.get('/health/ready').expect(200, { status: 'ready', redis: 'not-configured', keys: 'up' });
    link.freeze();
    const begin = performance.now();
    const answer = await test.agent.get('/health/ready').expect(503);
    expect(performance.now() - begin).toBeLessThan(3_500);
    expect(answer.body.type).toBe('/problems/unavailable');
    await test.agent.get('/health/live').expect(200, { status: 'live' });
    await link.cut();
    await test.agent.get('/health/ready').expect(503);
    await link.mend();
    await test.agent.get('/health/ready').expect(200);
  });

  it('a query without an answer gives up its connection, so that it is not used again', async () => {
    const pool = new pg.Pool({
      connectionString: link.through(test.database.url),
      Client: ImpatientClient,
      max: 1,
      query_timeout: 300,
    });
    pool.on('error', () => undefined);
    const client = await pool.connect();
    await client.query('SELECT 1');
    link.freeze();
    await expect(client.query('SELECT 1')).rejects.toThrow('Query read timeout');
    client.release();
    await link.mend();
    expect((await pool.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    await pool.end();
  });
});

describe('a process that starts before its database', () => {
  it('waits for it, and gives up when it does not come', async () => {
    const database = await createTestDatabase();
    const link = await openLink();
    const keyFile = join(await mkdtemp(join(inject('runFolder'), 'ground-')), 'key.json');
    const { fingerprint } = await makeKeyFile(keyFile);
    const admin = new pg.Client(database.url);
    await admin.connect();
    await admin.query(`INSERT INTO installation (id, key_fingerprint, environment) VALUES (1, $1, 'test')`, [
      fingerprint,
    ]);
    await admin.end();
    const env = {
      DATABASE_URL: link.through(database.url),
      QUARTERMASTER_KEY_FILE: keyFile,
      QUARTERMASTER_ENVIRONMENT: 'test',
    };
    try {
      await link.cut();
      await expect(openGround(env, { applicationName: 'test' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      const opening = openGround(env, { applicationName: 'test', patience: 20 });
      await link.mend();
      const { db } = await opening;
      expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await db.destroy();
    } finally {
      await database.drop();
      await link.close();
    }
  });
});

describe('readiness', () => {
  it('is refused while a migration is missing', async () => {
    const test = await startApp([]);
    try {
      await test.agent.get('/health/ready').expect(200);
      await test.db.query(`DELETE FROM schema_migrations WHERE name LIKE 'Cases%'`);
      const answer = await test.agent.get('/health/ready').expect(503);
      expect(answer.body.detail).toContain('quartermaster migrate up');
    } finally {
      await test.close();
    }
  });

  it.skipIf(!hasRedis())('tells that Redis is up, and down once it has gone', async () => {
    const redis = await startTestRedis();
    const test = await startApp([], { env: { REDIS_URL: redis.url } });
    try {
      await waitFor('Redis is seen', async () => (await test.agent.get('/health/ready')).body.redis === 'up');
      await redis.stop();
      await test.agent.get('/health/ready').expect(200, { status: 'ready', redis: 'down', keys: 'up' });
    } finally {
      await test.close();
    }
  });

  it('does not need Redis, and tells its state', async () => {
    const test = await startApp([], { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    try {
      await test.agent.get('/health/ready').expect(200, { status: 'ready', redis: 'down', keys: 'up' });
    } finally {
      await test.close();
    }
  });
});
