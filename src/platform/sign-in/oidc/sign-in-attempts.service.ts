import { Injectable } from '@nestjs/common';
import type { CookieOptions, Request, Response } from 'express';
import { z } from 'zod';
import { Config } from '../../config/config.js';
import { InstallationKey } from '../../crypto/installation-key.js';

/** For being at the provider, with a second factor to look for. */
export const ATTEMPT_MINUTES = 10;
const ADDITIONAL_DATA = 'sign-in attempt';

const Attempt = z.object({
  startedAt: z.number(),
  state: z.record(z.string(), z.unknown()),
  /** A path of ours. */
  returnTo: z.string(),
  /** The session that a new sign-in takes the place of. */
  sessionId: z.string().nullable(),
});
export type Attempt = z.infer<typeof Attempt>;

/**
 * Remembers who went to the provider, in a sealed cookie of the browser that went: a stranger's visits write no row, and
 * an answer that was meant for another browser finds nothing. That it is good once only is seen to when it is used.
 */
@Injectable()
export class SignInAttempts {
  constructor(
    private readonly config: Config,
    private readonly key: InstallationKey,
  ) {}

  remember(response: Response, attempt: Omit<Attempt, 'startedAt'>): void {
    const text = JSON.stringify({ ...attempt, startedAt: Date.now() } satisfies Attempt);
    const sealed = this.key.wrap(Buffer.from(text, 'utf8'), ADDITIONAL_DATA).toString('base64url');
    response.cookie(this.cookieName, sealed, { ...this.cookieOptions, maxAge: ATTEMPT_MINUTES * 60_000 });
  }

  /** What this browser set out with, or null when it didn't, or too long ago. It is forgotten with the answer. */
  take(request: Request, response: Response): Attempt | null {
    const cookies: unknown = request.cookies;
    const sealed = (cookies as Record<string, unknown> | undefined)?.[this.cookieName];
    if (typeof sealed !== 'string') return null;
    response.clearCookie(this.cookieName, this.cookieOptions);
    try {
      const text = this.key.unwrap(Buffer.from(sealed, 'base64url'), ADDITIONAL_DATA).toString('utf8');
      const attempt = Attempt.parse(JSON.parse(text));
      return Date.now() - attempt.startedAt < ATTEMPT_MINUTES * 60_000 ? attempt : null;
    } catch {
      return null;
    }
  }

  private get cookieName(): string {
    return this.isSecure ? '__Host-quartermaster-sign-in' : 'quartermaster-sign-in';
  }

  private get cookieOptions(): CookieOptions {
    // Lax: the way back from the provider is another site's, and a strict cookie would stay at home.
    return { httpOnly: true, sameSite: 'lax', secure: this.isSecure, path: '/' };
  }

  private get isSecure(): boolean {
    return this.config.publicUrl.startsWith('https:');
  }
}
