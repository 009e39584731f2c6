import { isIPv6 } from 'node:net';
import type { Request } from 'express';

/**
 * Whom failures are counted for: an IPv4 address, or the /64 of an IPv6 address, since one line gets at least that much
 * (RFC 6177). Express takes it from X-Forwarded-For where a proxy that TRUST_PROXY names sent it.
 */
export function callerAddress(request: Request): string {
  return networkOf(request.ip ?? request.socket.remoteAddress ?? 'unknown');
}

export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
  return `${groups.join(':')}::/64`;
}
