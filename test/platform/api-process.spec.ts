import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/data-source.js';
import { makeKeyFile } from '../../src/platform/crypto/key-file.js';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { freePort } from '../../scripts/embedded/free-port.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startProcess } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const PROGRAM = 'dist/src/api.main.js';

describe('the API process', () => {
  let database: TestDatabase;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    const keyFile = join(await mkdtemp(join(inject('runFolder'), 'api-')), 'key.json');
    const key = await makeKeyFile(keyFile);
    const db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
    await db.query(`INSERT INTO installation (id, key_fingerprint, environment) VALUES (1, $1, 'test')`, [
      key.fingerprint,
    ]);
    await db.destroy();
    env = {
      DATABASE_URL: database.url,
      QUARTERMASTER_KEY_FILE: keyFile,
      QUARTERMASTER_ENVIRONMENT: 'test',
      PORT: String(await freePort()),
    };
  });
  afterAll(() => database?.drop());

  it('says once that it is ready, serves, and ends cleanly on SIGTERM', async () => {
    const api = startProcess({ program: PROGRAM, env });
    await api.waitForLine(/^Quartermaster API ready at http:\/\/127\.0\.0\.1:\d+$/m);
    expect(api.output().trim().split('\n')).toHaveLength(1);
    const answer = await fetch(`http://127.0.0.1:${env['PORT']}/health/ready`);
    expect(answer.status).toBe(200);
    expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('ends as cleanly while somebody is connected who never asked for anything', async () => {
    const api = startProcess({ program: PROGRAM, env });
    await api.waitForLine(/^Quartermaster API ready/m);
    const silent = connect(Number(env['PORT']), '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    silent.destroy();
  });

  it('ends as cleanly while somebody asks again and again over one connection', async () => {
    const api = startProcess({ program: PROGRAM, env });
    await api.waitForLine(/^Quartermaster API ready/m);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isOver = false;
    const asking = (async () => {
      while (!isOver) await statusOver(agent, Number(env['PORT'])).catch(() => (isOver = true));
    })();
    expect(await statusOver(agent, Number(env['PORT']))).toBe(200);
    expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await asking;
    agent.destroy();
  });

  it('ends when its parent is gone, if it was told so', async () => {
    const child = spawn(process.execPath, [join(cloneFolder(), PROGRAM)], {
      env: { PATH: process.env['PATH'], ...env, QUARTERMASTER_PARENT: 'ipc' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    try {
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await waitFor('it is ready', () => output.includes('ready at'), { withinMs: 10_000 });
      expect(child.exitCode).toBeNull();
      child.disconnect();
      await waitFor('it ended', () => child.exitCode !== null);
      expect(child.exitCode).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('refuses to start with another key, in one plain sentence', async () => {
    const other = join(await mkdtemp(join(inject('runFolder'), 'api-')), 'key.json');
    await makeKeyFile(other);
    const api = startProcess({ program: PROGRAM, env: { ...env, QUARTERMASTER_KEY_FILE: other } });
    expect(await api.ended).toEqual({ code: 2, signal: null });
    expect(api.output()).toMatch(/isn't the one this database was set up with/);
    expect(api.output()).not.toContain('    at ');
  });

  it('refuses to start on a production installation when it is set up for tests, and the other way round', async () => {
    const api = startProcess({ program: PROGRAM, env: { ...env, QUARTERMASTER_ENVIRONMENT: 'production' } });
    expect(await api.ended).toEqual({ code: 2, signal: null });
    expect(api.output()).toContain('set up for production');
  });

  it('without its variables names each of them', async () => {
    const api = startProcess({ program: PROGRAM });
    expect(await api.ended).toEqual({ code: 2, signal: null });
    expect(api.output()).toContain('DATABASE_URL is missing');
    expect(api.output()).toContain('QUARTERMASTER_KEY_FILE is missing');
  });
});

function statusOver(agent: Agent, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: '127.0.0.1', path: '/health/live' }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    }).once('error', reject);
  });
}
