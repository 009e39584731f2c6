const USER = /^user:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The actor's id of somebody who signs in through the OpenID provider: roles are given to it, tokens are bound to it. */
export function userPrincipal(identityId: string): string {
  return `user:${identityId}`;
}

/** The identity behind an actor's id; null for a token, a link, a terminal, an HR system and the service itself. */
export function identityIdIn(principal: string): string | null {
  return USER.exec(principal)?.[1] ?? null;
}

/** Whoever can run commands beside the key file: the command line makes such ids, and no sign-in does. */
export function isAtTerminal(principal: string): boolean {
  return principal.startsWith('terminal:');
}
