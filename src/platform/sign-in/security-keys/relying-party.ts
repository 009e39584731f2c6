import { isIP } from 'node:net';
import { Problem } from '../../errors/problem.js';

/** Whom a key answers: it signs for this name alone, and the browser says for which origin it asked. */
export interface RelyingParty {
  /** A key that is registered for it opens nothing elsewhere. */
  id: string;
  origin: string;
}

/**
 * Null: at this address no browser lets a page use a key. It has to be a name, not an address of the network, and over
 * HTTPS; `localhost` may be plain (Web Authentication level 3, section 5.1.3; Secure Contexts, section 3.1).
 */
export function relyingPartyOf(publicUrl: string): RelyingParty | null {
  const { protocol, hostname, origin } = new URL(publicUrl);
  if (isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0) return null;
  const isThisMachine = hostname === 'localhost' || hostname.endsWith('.localhost');
  return protocol === 'https:' || isThisMachine ? { id: hostname, origin } : null;
}

/** @throws Problem `conflict` where browsers use no keys */
export function requireRelyingParty(publicUrl: string): RelyingParty {
  const party = relyingPartyOf(publicUrl);
  if (party) return party;
  throw new Problem(
    'conflict',
    `Browsers use no security keys at ${publicUrl}. Set PUBLIC_URL to an address of https:// with a name.`,
  );
}
