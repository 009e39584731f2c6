import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { RolesModule } from '../roles/roles.module.js';
import { ApiTokens } from './api-tokens.service.js';
import { Authenticator } from './authenticator.service.js';
import { BearerTokenStrategy } from './bearer-token.strategy.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { PUBLIC_ROUTES } from './public-routes.js';
import { PublicRouteList, RouteCheck } from './route-check.js';
import { SessionCookieStrategy } from './session-cookie.strategy.js';
import { SignInController } from './sign-in.controller.js';
import { SignInGuard } from './sign-in.guard.js';
import { SignInLinks } from './sign-in-links.service.js';
import { TokenOwners } from './token-owners.service.js';
import { TokensController } from './tokens.controller.js';

@Module({})
export class SignInModule {
  /** @param publicRoutes The committed list; a test that starts a part of the service gives that part's. */
  static of(publicRoutes: readonly string[] = PUBLIC_ROUTES): DynamicModule {
    return {
      module: SignInModule,
      global: true,
      imports: [DiscoveryModule, RolesModule],
      controllers: [SignInController, TokensController],
      providers: [
        ApiTokens,
        Authenticator,
        BearerTokenStrategy,
        BrowserSessions,
        SessionCookieStrategy,
        SignInLinks,
        TokenOwners,
        RouteCheck,
        { provide: PublicRouteList, useValue: { routes: publicRoutes } satisfies PublicRouteList },
        { provide: APP_GUARD, useClass: SignInGuard },
      ],
      exports: [ApiTokens, SignInLinks, TokenOwners],
    };
  }
}
