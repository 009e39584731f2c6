import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiCookieAuth, ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Actor, Scope } from './actor.js';

export const ALLOWED_SCOPE = 'quartermaster:allowed-scope';
export const HEEDS_REACH = 'quartermaster:heeds-reach';
export const PUBLIC_ROUTE = 'quartermaster:public-route';
export const SIGNED_IN_ROUTE = 'quartermaster:signed-in-route';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by the guard on every route that isn't public. */
    actor?: Actor;
  }
}

/**
 * Who may call this route: callers that hold the scope. Each route has this, `@SignedIn()` or `@Public()`, or the service
 * won't start.
 *
 * @param heedsReach `within-reach`: the handler keeps to the actor's reach, or shows nothing that is anybody's. Without
 * it, whoever holds the scope only within a department, location or tool is refused.
 */
export function Allow(scope: Scope, heedsReach?: 'within-reach'): MethodDecorator {
  return applyDecorators(
    SetMetadata(ALLOWED_SCOPE, scope),
    SetMetadata(HEEDS_REACH, heedsReach !== undefined),
    ApiBearerAuth('api-token'),
    ApiCookieAuth('browser-session'),
    ApiExtension('x-scope', scope),
  );
}

/**
 * Whoever is signed in and may do anything at all may call this route; the handler itself asks `Permits.all` and keeps to
 * what it answers.
 */
export function SignedIn(): MethodDecorator {
  return applyDecorators(
    SetMetadata(SIGNED_IN_ROUTE, true),
    SetMetadata(HEEDS_REACH, true),
    ApiBearerAuth('api-token'),
    ApiCookieAuth('browser-session'),
  );
}

/** Anybody may call this route; it stands in `public-routes.ts` as well, so that a review sees it. */
export function Public(): MethodDecorator {
  return applyDecorators(SetMetadata(PUBLIC_ROUTE, true), ApiSecurity({}));
}

/** Who calls. On a public route nobody is known, so it can't be used there. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<Request>();
  if (!actor) throw new Error('@CurrentActor() on a public route: nobody is known there');
  return actor;
});
