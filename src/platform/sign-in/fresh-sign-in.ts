import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

/** For so long after somebody proved who they are it counts as fresh: by their security key where they have one. */
export const FRESH_MINUTES = 10;

export const NEEDS_FRESH_SIGN_IN = 'quartermaster:needs-fresh-sign-in';

/**
 * A dangerous route: a browser that stood open doesn't get to it, only one whose person proved within ten minutes who
 * they are; others are answered the problem `step-up-required`. An API token can't be left open on a desk, so it passes.
 */
export function FreshSignIn(): MethodDecorator {
  return applyDecorators(SetMetadata(NEEDS_FRESH_SIGN_IN, true), ApiExtension('x-fresh-sign-in', FRESH_MINUTES));
}
