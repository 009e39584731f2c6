import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { FRESH_MINUTES, NEEDS_FRESH_SIGN_IN } from './fresh-sign-in.js';

/** Behind the sign-in guard, which finds out who calls. */
@Injectable()
export class FreshSignInGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
  ) {}

  /** @throws Problem `step-up-required`, with the address to go to as `stepUpUrl` */
  canActivate(context: ExecutionContext): boolean {
    if (!this.reflector.get<true | undefined>(NEEDS_FRESH_SIGN_IN, context.getHandler())) return true;
    const { browser } = context.switchToHttp().getRequest<Request>();
    if (!browser) return true;
    const { secondsSinceProof: seconds, cameByProvider } = browser;
    if (seconds !== null && seconds <= FRESH_MINUTES * 60) return true;
    const { publicUrl } = this.config;
    throw cameByProvider
      ? new Problem('step-up-required', 'Sign in again at the address in `stepUpUrl`, then repeat this.', {
          members: { stepUpUrl: `${publicUrl}/sign-in/oidc?fresh` },
        })
      : new Problem(
          'step-up-required',
          'Make a new link with `quartermaster sign-in-link`, open it, and repeat this.',
          {
            members: { stepUpUrl: `${publicUrl}/sign-in` },
          },
        );
  }
}
