import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ToolError } from './errors.js';

/**
 * Addresses a tool may not have unless its configuration allows private ones: everything that isn't globally
 * reachable (IANA special-purpose registries, RFC 6890), the clouds' metadata services among them (169.254.169.254
 * and fd00:ec2::254 are link-local and unique-local), and the prefixes that carry an IPv4 address inside IPv6.
 */
const PRIVATE_ADDRESSES = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE_ADDRESSES.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127], // unspecified and loopback
  ['::', 96], // IPv4-compatible
  ['64:ff9b::', 96], // NAT64
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23], // Teredo and other protocol assignments
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE_ADDRESSES.addSubnet(network, prefix, 'ipv6');
}

/** True for an address (IPv4, IPv6 or IPv4 mapped into IPv6) that isn't on the public internet. */
export function isPrivateAddress(address: string): boolean {
  // BlockList looks at an IPv4-mapped IPv6 address as the IPv4 address it holds.
  return PRIVATE_ADDRESSES.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

export function egressRefused(host: string, address: string): ToolError {
  const resolved = host === address ? '' : ` (${address})`;
  return new ToolError('forbidden', `Refused to connect to ${host}${resolved}: it is a private or reserved address.`, {
    permission: 'allowPrivateAddresses',
    remedy: 'Correct the host, or allow private addresses in this tool’s configuration if it really is inside.',
  });
}

/** An address literal, without the brackets a URL puts around IPv6; null for a name. */
function literalAddress(host: string): string | null {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? null : bare;
}

/** Checks a host that is written as an address. Node never calls `lookup` for those. Throws `forbidden`. */
export function refusePrivateLiteral(host: string, allowPrivateAddresses: boolean): void {
  const address = literalAddress(host);
  if (address !== null && !allowPrivateAddresses && isPrivateAddress(address)) throw egressRefused(host, address);
}

/**
 * A `lookup` for sockets that hands out only addresses that may be connected to. The socket connects to exactly what
 * this answered, so a name that changes its address between check and use gains nothing (DNS rebinding). A name with
 * one private address among public ones is refused altogether.
 */
export function guardedLookup(allowPrivateAddresses: boolean): LookupFunction {
  return (hostname, options, callback) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    resolve(hostname, all, (error, addresses: LookupAddress[]) => {
      const first = addresses?.[0];
      if (error || !first) return callback(error ?? new Error(`no address for ${hostname}`), []);
      const refused = allowPrivateAddresses ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
      if (refused) return callback(egressRefused(hostname, refused.address), []);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * The one address to connect to, checked; for clients that take a host and do their own look-up. Whoever uses it
 * connects to the address and keeps the name for TLS. Throws `forbidden`, or the resolver's error.
 */
export async function resolveAllowed(host: string, allowPrivateAddresses: boolean): Promise<string> {
  refusePrivateLiteral(host, allowPrivateAddresses);
  const literal = literalAddress(host);
  if (literal !== null) return literal;
  return new Promise((done, fail) => {
    guardedLookup(allowPrivateAddresses)(host, {}, (error, address) => {
      if (error) fail(error);
      else done(address as string);
    });
  });
}
