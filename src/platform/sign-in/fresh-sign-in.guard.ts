import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import type { SignedInBrowser } from './browser-sessions.service.js';
import { FRESH_MINUTES, NEEDS_FRESH_SIGN_IN } from './fresh-sign-in.js';

/** By what somebody at a browser shows anew who they are, and where. A page offers what its kind needs. */
const STEP_UPS = {
  'security-key': {
    detail:
      'Use your security key, then repeat this. If it is lost, whoever runs the server makes a link with `quartermaster sign-in-link`, and removes the key there.',
    path: '/app/your-sign-in',
  },
  provider: { detail: 'Sign in again at the address in `stepUpUrl`, then repeat this.', path: '/sign-in/oidc?fresh' },
  link: { detail: 'Make a new link with `quartermaster sign-in-link`, open it, and repeat this.', path: '/sign-in' },
} as const;

/** Behind the sign-in guard, which finds out who calls. */
@Injectable()
export class FreshSignInGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
  ) {}

  /** @throws Problem `step-up-required`: by what as `stepUpBy`, with the address to go to as `stepUpUrl` */
  canActivate(context: ExecutionContext): boolean {
    if (!this.reflector.get<true | undefined>(NEEDS_FRESH_SIGN_IN, context.getHandler())) return true;
    const { browser } = context.switchToHttp().getRequest<Request>();
    if (!browser) return true;
    const { secondsSinceProof: seconds } = browser;
    if (seconds !== null && seconds <= FRESH_MINUTES * 60) return true;
    const stepUpBy = stepUpOf(browser);
    const { detail, path } = STEP_UPS[stepUpBy];
    throw new Problem('step-up-required', detail, {
      members: { stepUpBy, stepUpUrl: `${this.config.publicUrl}${path}` },
    });
  }
}

function stepUpOf({ hasSecurityKey, identityId }: SignedInBrowser): keyof typeof STEP_UPS {
  if (hasSecurityKey) return 'security-key';
  return identityId === null ? 'link' : 'provider';
}
