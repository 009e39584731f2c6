import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import passport from 'passport';
import { ApiTokens } from './api-tokens.service.js';

/** `Authorization: Bearer qm_…` (RFC 6750): a machine with an API token. */
@Injectable()
export class BearerTokenStrategy extends passport.Strategy {
  override readonly name = 'bearer-token';

  constructor(private readonly tokens: ApiTokens) {
    super();
  }

  override authenticate(request: Request): void {
    const token = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '')?.[1];
    if (!token) return this.fail('The Authorization header has to be: Bearer, a space, an API token.');
    this.tokens.actorOf(token).then(
      (actor) => (actor ? this.success(actor) : this.fail('The API token is unknown, expired or revoked.')),
      (error: unknown) => this.error(error),
    );
  }
}
