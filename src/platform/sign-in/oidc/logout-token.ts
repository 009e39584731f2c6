import { jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { Problem } from '../../errors/problem.js';

export interface LogoutToken {
  issuer: string;
  /** Without one, the whole session at the provider is meant; with both, the two belong together. */
  subject: string | null;
  providerSession: string | null;
  jti: string;
}

/** Minutes after which a token is too old, whatever it says of itself. */
export const LOGOUT_TOKEN_MINUTES = 5;
/** Seconds by which two clocks may differ. */
const TOLERANCE = 60;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

const Claims = z
  .object({
    iss: z.string(),
    sub: z.string().optional(),
    sid: z.string().optional(),
    jti: z.string().min(1),
    events: z.object({ [EVENT]: z.record(z.string(), z.unknown()) }),
    // An ID token has one: it must never pass for a logout token.
    nonce: z.undefined().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined, { error: 'It names neither sub nor sid.' });

/**
 * A logout token, checked as OpenID Connect Back-Channel Logout 1.0 has it, section 2.6; that it comes once is the
 * caller's to see to.
 * @throws Problem `invalid-request`
 */
export async function checkLogoutToken(
  token: string,
  { issuer, clientId, keys, algorithms, now }: Expectations,
): Promise<LogoutToken> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      // Asymmetric ones: `none` and those that take our own secret for a key prove nothing.
      algorithms: algorithms.filter((name) => /^(RS|PS|ES)\d|^EdDSA$|^Ed25519$/.test(name)),
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
      maxTokenAge: LOGOUT_TOKEN_MINUTES * 60,
      clockTolerance: TOLERANCE,
      currentDate: now,
    });
    const { iss, sub, sid, jti } = Claims.parse(payload);
    return { issuer: iss, subject: sub ?? null, providerSession: sid ?? null, jti };
  } catch (cause) {
    throw new Problem('invalid-request', 'The logout token is not valid.', { cause });
  }
}

interface Expectations {
  issuer: string;
  clientId: string;
  keys: JWTVerifyGetKey;
  /** Those with which the provider signs ID tokens. */
  algorithms: readonly string[];
  now: Date;
}
