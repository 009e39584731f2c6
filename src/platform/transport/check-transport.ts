import { BlockList, isIP } from 'node:net';
import { ConfigError, type Config } from '../config/config.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine reaches it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  return version !== 0 && LOOPBACK.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether the API may listen as it is configured: over TLS, on this machine alone, or behind a proxy that does TLS.
 * @returns what an operator should know all the same; null: nothing
 * @throws ConfigError when tokens and passwords would cross a network in the clear
 */
export function checkTransport(config: Config): string | null {
  if (config.tls || isLoopback(config.host) || config.trustProxy.length > 0) return null;
  if (config.publicUrl.startsWith('https:')) {
    return 'PUBLIC_URL is https, but TLS is done elsewhere: name that proxy in TRUST_PROXY, so that callers are told apart.';
  }
  if (config.allowsPlainHttp) return `Tokens and passwords cross the network in the clear, as PLAIN_HTTP allows.`;
  throw new ConfigError([
    `HOST is ${config.host}, where plain HTTP would show every token and password to the network: set TLS_CERT_FILE and ` +
      'TLS_KEY_FILE; or TRUST_PROXY to the addresses of the proxy that does TLS; or, if the network is safe, PLAIN_HTTP=allowed',
  ]);
}

/** Whether browsers may be told to come over TLS only: never for this machine, whose other programs they would lose. */
export function isStrictlyHttps({ publicUrl }: Config): boolean {
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' && !isLoopback(hostname) && isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0;
}
