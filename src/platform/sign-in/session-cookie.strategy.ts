import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import passport from 'passport';
import { Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { isSameOrigin, sessionTokenIn } from './session-cookie.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** An admin's browser, signed in by a one-time link. */
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
    if (!token)
      return this.fail('Send an API token as a bearer, or sign in with a link from `quartermaster sign-in-link`.');
    // A browser sends its cookies along with whatever another site's page makes it send.
    if (!SAFE_METHODS.has(request.method) && !isSameOrigin(request, this.config)) {
      return this.error(new Problem('forbidden', 'A signed-in browser may change things from our own pages only.'));
    }
    this.sessions.actorOf(token).then(
      (actor) => (actor ? this.success(actor) : this.fail('You were signed out. Sign in again with a new link.')),
      (error: unknown) => this.error(error),
    );
  }
}
