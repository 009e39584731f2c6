import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inject } from 'vitest';
import { describe, expect, it } from 'vitest';
import { TlsCertificate } from '../../src/platform/transport/tls-certificate.js';
import { waitFor } from '../../test/support/wait-for.js';
import { provideLocalCertificate } from './local-certificate.js';

const DAY = 24 * 60 * 60_000;
const aFolder = () => mkdtemp(join(inject('runFolder'), 'tls-'));

describe('the certificate authority of this machine', () => {
  it('signs for this machine alone, and keeps its keys to its owner', async () => {
    const { authorityFile, certFile, keyFile } = await provideLocalCertificate(await aFolder());
    const authority = new X509Certificate(await readFile(authorityFile));
    const cert = new X509Certificate(await readFile(certFile));
    expect(cert.verify(authority.publicKey)).toBe(true);
    expect(authority.ca).toBe(true);
    expect(cert.ca).toBe(false);
    expect(cert.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    for (const secret of [keyFile, authorityFile.replace('.pem', '-key.pem')]) {
      expect((await stat(secret)).mode & 0o777).toBe(0o600);
    }
  });

  it('is made once, and renews the certificate in time', async () => {
    const folder = await aFolder();
    const files = await provideLocalCertificate(folder);
    const read = async () => [await readFile(files.authorityFile, 'utf8'), await readFile(files.certFile, 'utf8')];
    const [authority, cert] = await read();
    await provideLocalCertificate(folder, new Date(Date.now() + 55 * DAY));
    expect(await read()).toEqual([authority, cert]);
    await provideLocalCertificate(folder, new Date(Date.now() + 65 * DAY));
    const [sameAuthority, newCert] = await read();
    expect(sameAuthority).toBe(authority);
    expect(newCert).not.toBe(cert);
  });

  it('is trusted by a client that trusts it, under each name of this machine and no other', async () => {
    const { authorityFile, certFile, keyFile } = await provideLocalCertificate(await aFolder());
    const ca = await readFile(authorityFile, 'utf8');
    const certificate = await TlsCertificate.load({ certFile, keyFile });
    await serving(certificate, async (port) => {
      for (const host of ['localhost', '127.0.0.1']) expect(await statusOf({ host, port, ca })).toBe(200);
      await expect(statusOf({ host: '127.0.0.1', port })).rejects.toThrow(/certificate/);
      await expect(statusOf({ host: '127.0.0.1', port, ca, servername: 'evil.example' })).rejects.toThrow(/altnames/);
    });
  });
});

describe("the API's own certificate", () => {
  it('is taken anew when its files change, while connections that stand go on', async () => {
    const folder = await aFolder();
    const files = await provideLocalCertificate(folder);
    const certificate = await TlsCertificate.load(files);
    const told: string[] = [];
    await serving(certificate, async (port, server) => {
      certificate.keepCurrent(server, (sentence) => told.push(sentence), 20);
      const before = await serialOf(port);
      await provideLocalCertificate(folder, new Date(Date.now() + 65 * DAY));
      await waitFor('the new certificate', async () => ((await serialOf(port)) === before ? null : true));
      expect(told).toContain('the TLS certificate was renewed');
    });
  });

  it('is refused with a sentence when the key is another one, or the file is none', async () => {
    const [one, other] = [
      await provideLocalCertificate(await aFolder()),
      await provideLocalCertificate(await aFolder()),
    ];
    await expect(TlsCertificate.load({ certFile: one.certFile, keyFile: other.keyFile })).rejects.toThrow(/MISMATCH/);
    await expect(TlsCertificate.load({ certFile: '/nowhere', keyFile: one.keyFile })).rejects.toThrow(/ENOENT/);
  });
});

async function serving(
  certificate: TlsCertificate,
  work: (port: number, server: Server) => Promise<void>,
): Promise<void> {
  const server = createServer({ ...certificate.pair }, (_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work((server.address() as AddressInfo).port, server);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function statusOf(options: { host: string; port: number; ca?: string; servername?: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ ...options, agent: false, lookup: toLoopback }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on('error', reject);
  });
}

function serialOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent: false, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      const { serialNumber } = (answer.socket as import('node:tls').TLSSocket).getPeerCertificate();
      resolve(serialNumber);
    });
    request.on('error', reject);
  });
}

/** The server listens on IPv4, whatever `localhost` is here. */
function toLoopback(_: string, options: { all?: boolean }, callback: (...args: never[]) => void): void {
  const found = options.all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4];
  (callback as (...args: unknown[]) => void)(null, ...found);
}
