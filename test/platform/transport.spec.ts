import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/embedded/free-port.js';
import { provideLocalCertificate } from '../../scripts/embedded/local-certificate.js';
import { createDataSource } from '../../src/data-source.js';
import { makeKeyFile } from '../../src/platform/crypto/key-file.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startProcess } from '../support/processes.js';
import { startApp } from './start-app.js';

const PROGRAM = 'dist/src/api.main.js';

describe('the headers of each answer', () => {
  it('keep browsers to TLS, to our own scripts and out of frames, where people come by https', async () => {
    const test = await startApp([], { env: { PUBLIC_URL: 'https://qm.example.com' } });
    try {
      for (const path of ['/docs', '/health/live', '/v1/nothing', '/sign-in/no-such-link']) {
        const { headers } = await test.agent.get(path);
        expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
        expect(headers['x-content-type-options']).toBe('nosniff');
        // A form's page tells our own server where it was sent from, and nobody more than the origin.
        expect(headers['referrer-policy']).toBe(path.startsWith('/sign-in') ? 'strict-origin' : 'no-referrer');
        expect(headers['access-control-allow-origin']).toBeUndefined();
        const policy = String(headers['content-security-policy']).split(';');
        expect(String(headers['content-security-policy'])).not.toContain('unsafe');
        for (const directive of [
          "default-src 'none'",
          "script-src 'self'",
          "object-src 'none'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ]) {
          expect(policy).toContain(directive);
        }
      }
    } finally {
      await test.close();
    }
  });

  it('say nothing of TLS for this machine, whose other programs would be lost', async () => {
    const test = await startApp([], { env: { PUBLIC_URL: 'https://localhost:3000' } });
    try {
      const { headers } = await test.agent.get('/docs').expect(200);
      expect(headers['strict-transport-security']).toBeUndefined();
    } finally {
      await test.close();
    }
  });
});

describe('the API process', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let ca: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const folder = await mkdtemp(join(inject('runFolder'), 'transport-'));
    const keyFile = join(folder, 'key.json');
    const key = await makeKeyFile(keyFile);
    const db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
    await db.query(`INSERT INTO installation (id, key_fingerprint, environment) VALUES (1, $1, 'test')`, [
      key.fingerprint,
    ]);
    await db.destroy();
    const { authorityFile, certFile, keyFile: tlsKeyFile } = await provideLocalCertificate(join(folder, 'tls'));
    ca = await readFile(authorityFile, 'utf8');
    env = {
      DATABASE_URL: database.url,
      QUARTERMASTER_KEY_FILE: keyFile,
      QUARTERMASTER_ENVIRONMENT: 'test',
      PORT: String(await freePort()),
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: tlsKeyFile,
    };
  });
  afterAll(() => database?.drop());

  it('speaks TLS and nothing else, and ends as cleanly as without while others are connected', async () => {
    const api = startProcess({ program: PROGRAM, env });
    await api.waitForLine(/^Quartermaster API ready at https:\/\/127\.0\.0\.1:\d+$/m, 30_000);
    const port = Number(env['PORT']);
    expect(await statusOver(port, ca)).toBe(200);
    await expect(statusOver(port, undefined)).rejects.toThrow(/certificate/);
    await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
    expect(await oldestTls(port, ca)).toBe('refused');
    // One that never said anything, and one that has its TLS and asked for nothing.
    const silent = connect(port, '127.0.0.1').on('error', () => undefined);
    const ready = connectTls({ port, host: '127.0.0.1', ca }).on('error', () => undefined);
    await Promise.all([once(silent, 'connect'), once(ready, 'secureConnect')]);
    expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    silent.destroy();
    ready.destroy();
  });

  it('refuses to speak plain HTTP on a network, in one sentence', async () => {
    const { TLS_CERT_FILE: _cert, TLS_KEY_FILE: _key, ...plain } = env;
    const api = startProcess({ program: PROGRAM, env: { ...plain, HOST: '0.0.0.0' } });
    expect(await api.ended).toEqual({ code: 2, signal: null });
    expect(api.output()).toMatch(/HOST is 0\.0\.0\.0, where plain HTTP would show every token.*PLAIN_HTTP=allowed/s);
    expect(api.output()).not.toContain('    at ');
  });
});

function statusOver(port: number, ca: string | undefined): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/health/live', agent: false, ca }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    }).once('error', reject);
  });
}

function oldestTls(port: number, ca: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
    socket.once('secureConnect', () => resolve(socket.getProtocol() ?? 'unknown'));
    socket.once('error', () => resolve('refused'));
  });
}
