import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { Problem } from '../errors/problem.js';
import { Permits } from '../roles/permits.service.js';
import type { Scope } from './actor.js';
import { Authenticator } from './authenticator.service.js';
import { originOf } from './origin.js';
import { ALLOWED_SCOPE, HEEDS_REACH, PUBLIC_ROUTE, SIGNED_IN_ROUTE } from './who-may-call.js';

/**
 * In front of every route: lets through who holds the route's scope. Whoever holds it within a narrowing only gets to
 * routes that heed it.
 */
@Injectable()
export class SignInGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly permits: Permits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const handler = context.getHandler();
    if (this.reflector.get<true | undefined>(PUBLIC_ROUTE, handler)) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const actor = await this.authenticator.actorOf(request, http.getResponse<Response>());
    if (this.reflector.get<true | undefined>(SIGNED_IN_ROUTE, handler)) {
      if ((await this.permits.all(actor)).size === 0) throw nothingAllowed(actor.id);
      request.actor = { ...actor, from: { ...actor.from, ...originOf(request) } };
      return true;
    }
    const scope = this.reflector.get<Scope | undefined>(ALLOWED_SCOPE, handler);
    // The check at the start makes sure that a scope is declared; should it be got round, nobody may call.
    const permit = scope ? await this.permits.of(actor, scope) : null;
    if (!permit) {
      throw new Problem(
        'forbidden',
        `This needs the scope ${scope ?? '(none declared)'}, which your sign-in doesn't hold.`,
      );
    }
    if (permit.reach && !this.reflector.get<true | undefined>(HEEDS_REACH, handler)) {
      throw new Problem('forbidden', 'Your role is narrowed, and this is about more than a part of the company.');
    }
    request.actor = { ...actor, ...permit, from: { ...actor.from, ...originOf(request) } };
    return true;
  }
}

function nothingAllowed(principal: string): Problem {
  return new Problem(
    'forbidden',
    `You are signed in and may do nothing here yet. Whoever looks after this service gives a role to ${principal}.`,
  );
}
