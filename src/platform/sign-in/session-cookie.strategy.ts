import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import passport from 'passport';
import { Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { BrowserSessions, type SignedInBrowser } from './browser-sessions.service.js';
import { isSameOrigin, sessionTokenIn } from './session-cookie.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set where a signed-in browser calls; an API token has none. */
    browser?: SignedInBrowser;
  }
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sent by a page that asks anew by itself, while nobody touches it. */
const BY_ITSELF = 'x-by-itself';

/** A signed-in browser. */
@Injectable()
export class SessionCookieStrategy extends passport.Strategy {
  override readonly name = 'session-cookie';

  constructor(
    private readonly sessions: BrowserSessions,
    private readonly config: Config,
  ) {
    super();
  }

  override authenticate(request: Request): void {
    const token = sessionTokenIn(request, this.config);
    if (!token) return this.fail('Send an API token as a bearer, or sign in at /sign-in.');
    // A browser sends its cookies along with whatever another site's page makes it send.
    if (!SAFE_METHODS.has(request.method) && !isSameOrigin(request, this.config)) {
      return this.error(new Problem('forbidden', 'A signed-in browser may change things from our own pages only.'));
    }
    this.sessions.find(token, !isByItself(request)).then(
      (browser) => {
        if (!browser) return this.fail('You were signed out. Sign in again at /sign-in.');
        request.browser = browser;
        this.success(browser.actor);
      },
      (error: unknown) => this.error(error),
    );
  }
}

/** A stream stays open, and is opened again, whether or not somebody is there. */
function isByItself(request: Request): boolean {
  return request.get(BY_ITSELF) !== undefined || request.get('accept') === 'text/event-stream';
}
