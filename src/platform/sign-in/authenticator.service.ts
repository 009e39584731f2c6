import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import passport from 'passport';
import { Problem } from '../errors/problem.js';
import type { Actor } from './actor.js';
import { BearerTokenStrategy } from './bearer-token.strategy.js';
import { SessionCookieStrategy } from './session-cookie.strategy.js';

/** Finds out who calls; what the caller may do is the guard's question. */
@Injectable()
export class Authenticator {
  private readonly passport = new passport.Passport();

  constructor(bearer: BearerTokenStrategy, cookie: SessionCookieStrategy) {
    this.passport.use(bearer).use(cookie);
  }

  /** @throws Problem `unauthenticated`, or whatever the strategy met, such as a database that is away. */
  async actorOf(request: Request, response: Response): Promise<Actor> {
    // A wrong token never falls back to a cookie that happens to be there as well.
    const strategy = request.get('authorization') === undefined ? 'session-cookie' : 'bearer-token';
    return new Promise((resolve, reject) => {
      const done = (error: unknown, actor: Actor | false | null | undefined, challenge: unknown): void => {
        if (error) reject(error);
        else if (actor) resolve(actor);
        else reject(new Problem('unauthenticated', typeof challenge === 'string' ? challenge : 'Sign in first.'));
      };
      const handle = this.passport.authenticate(strategy, { session: false }, done) as (
        request: Request,
        response: Response,
        next: (error?: unknown) => void,
      ) => void;
      handle(request, response, (error) => reject(error));
    });
  }
}
