import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.js';
import { checkTransport, isLoopback, isStrictlyHttps } from './check-transport.js';

const BASE = { DATABASE_URL: 'postgres://db/quartermaster', QUARTERMASTER_KEY_FILE: '/etc/quartermaster/key' };
const TLS = { TLS_CERT_FILE: '/etc/tls.crt', TLS_KEY_FILE: '/etc/tls.key' };
const configOf = (env: Record<string, string>) => loadConfig({ ...BASE, ...env });

describe('how the API may listen', () => {
  it.each([
    ['on this machine alone', {}],
    ['over TLS', { HOST: '0.0.0.0', ...TLS }],
    ['behind a proxy with a name', { HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.7' }],
  ])('%s, and nothing is said', (_, env) => expect(checkTransport(configOf(env))).toBeNull());

  it('not in the clear on a network, unless somebody says so', () => {
    expect(() => checkTransport(configOf({ HOST: '0.0.0.0' }))).toThrow(
      /TLS_CERT_FILE.*TRUST_PROXY.*PLAIN_HTTP=allowed/s,
    );
    expect(() => checkTransport(configOf({ HOST: '::' }))).toThrow('plain HTTP');
    expect(checkTransport(configOf({ HOST: '0.0.0.0', PLAIN_HTTP: 'allowed' }))).toMatch('in the clear');
  });

  it('behind a proxy that nobody named, as installations from before do, with a word about it', () => {
    expect(checkTransport(configOf({ HOST: '0.0.0.0', PUBLIC_URL: 'https://qm.example.com' }))).toMatch('TRUST_PROXY');
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['[::1]', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['localhost.example.com', false],
  ])('%s is this machine alone: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));

  it.each([
    ['https://qm.example.com', true],
    ['http://qm.example.com', false],
    ['https://localhost:3000', false],
    ['https://192.0.2.7', false],
  ])('browsers that came to %s are told to stay with TLS: %s', (url, expected) =>
    expect(isStrictlyHttps(configOf({ PUBLIC_URL: url }))).toBe(expected),
  );
});

describe('the proxies that are believed', () => {
  it('are those of this machine where only this machine can call and TLS is done elsewhere', () => {
    expect(configOf({ PUBLIC_URL: 'https://qm.example.com' }).trustProxy).toEqual(['loopback']);
    expect(configOf({}).trustProxy).toEqual([]);
    expect(configOf({ PUBLIC_URL: 'https://qm.example.com', ...TLS }).trustProxy).toEqual([]);
    expect(configOf({ HOST: '0.0.0.0', PUBLIC_URL: 'https://qm.example.com' }).trustProxy).toEqual([]);
  });

  it('are named by address, network or a word for one', () => {
    expect(configOf({ TRUST_PROXY: '10.0.0.7, 192.168.0.0/24,fd00::/8, loopback' }).trustProxy).toEqual([
      '10.0.0.7',
      '192.168.0.0/24',
      'fd00::/8',
      'loopback',
    ]);
    for (const wrong of ['true', '1', 'proxy.example.com', '10.0.0.0/33', '10.0.0.0/', '::/129']) {
      expect(() => configOf({ TRUST_PROXY: wrong })).toThrow('TRUST_PROXY');
    }
  });
});
