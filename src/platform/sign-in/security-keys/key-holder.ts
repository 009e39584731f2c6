import type { Request } from 'express';
import { Problem } from '../../errors/problem.js';

/** Somebody at a browser, whose keys these are. */
export interface KeyHolder {
  sessionId: string;
  /** Of the OpenID provider: issuer and subject. */
  identityId: string;
  name: string;
}

/** Null for an API token, and for who came by a one-time link: nobody's identity stands behind either. */
export function keyHolderIn({ browser }: Request): KeyHolder | null {
  if (!browser || browser.identityId === null) return null;
  return { sessionId: browser.sessionId, identityId: browser.identityId, name: browser.actor.name };
}

/** @throws Problem `conflict` for who can't have a key */
export function requireKeyHolder(request: Request): KeyHolder {
  const holder = keyHolderIn(request);
  if (holder) return holder;
  throw new Problem(
    'conflict',
    'A security key belongs to somebody who signs in at a browser through the OpenID provider. Sign in there first.',
  );
}
