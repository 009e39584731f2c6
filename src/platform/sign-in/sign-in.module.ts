import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { RolesModule } from '../roles/roles.module.js';
import { ApiTokens } from './api-tokens.service.js';
import { Authenticator } from './authenticator.service.js';
import { BearerTokenStrategy } from './bearer-token.strategy.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { CallerController } from './caller.controller.js';
import { PUBLIC_ROUTES } from './public-routes.js';
import { FreshSignInGuard } from './fresh-sign-in.guard.js';
import { BackChannelLogoutController } from './oidc/back-channel-logout.controller.js';
import { BackChannelLogout } from './oidc/back-channel-logout.service.js';
import { OidcController } from './oidc/oidc.controller.js';
import { OidcProvider } from './oidc/oidc-provider.service.js';
import { OidcSignIn } from './oidc/oidc-sign-in.service.js';
import { SignInAttempts } from './oidc/sign-in-attempts.service.js';
import { SignOutAtProvider } from './oidc/sign-out-at-provider.service.js';
import { PublicRouteList, RouteCheck } from './route-check.js';
import { KeyChallenges } from './security-keys/key-challenges.service.js';
import { KeyRegistration } from './security-keys/key-registration.service.js';
import { OwnSecurityKeysController } from './security-keys/own-security-keys.controller.js';
import { SecurityKeysController } from './security-keys/security-keys.controller.js';
import { SecurityKeys } from './security-keys/security-keys.service.js';
import { StepUpController } from './security-keys/step-up.controller.js';
import { StepUp } from './security-keys/step-up.service.js';
import { SessionCookieStrategy } from './session-cookie.strategy.js';
import { SignInBars } from './sign-in-bars.service.js';
import { SignInController } from './sign-in.controller.js';
import { SignInGuard } from './sign-in.guard.js';
import { SignInIdentitiesController } from './sign-in-identities.controller.js';
import { SignInIdentities } from './sign-in-identities.service.js';
import { SignInLinks } from './sign-in-links.service.js';
import { SignInNews } from './sign-in-news.service.js';
import { SignOutController } from './sign-out.controller.js';
import { TokenOwners } from './token-owners.service.js';
import { TokensController } from './tokens.controller.js';
import { UsedOnce } from './used-once.service.js';
import { WhoIsWho } from './who-is-who.service.js';

@Module({})
export class SignInModule {
  /** @param publicRoutes The committed list; a test that starts a part of the service gives that part's. */
  static of(publicRoutes: readonly string[] = PUBLIC_ROUTES): DynamicModule {
    return {
      module: SignInModule,
      global: true,
      imports: [DiscoveryModule, RolesModule],
      // `/sign-in/oidc` has to be found before `/sign-in/:token`.
      controllers: [
        BackChannelLogoutController,
        OidcController,
        SignInController,
        SignOutController,
        TokensController,
        CallerController,
        SignInIdentitiesController,
        OwnSecurityKeysController,
        SecurityKeysController,
        StepUpController,
      ],
      providers: [
        ApiTokens,
        Authenticator,
        BackChannelLogout,
        BearerTokenStrategy,
        BrowserSessions,
        KeyChallenges,
        KeyRegistration,
        OidcProvider,
        OidcSignIn,
        SecurityKeys,
        SessionCookieStrategy,
        SignInAttempts,
        SignInBars,
        SignInIdentities,
        SignInLinks,
        SignInNews,
        SignOutAtProvider,
        StepUp,
        TokenOwners,
        UsedOnce,
        WhoIsWho,
        RouteCheck,
        { provide: PublicRouteList, useValue: { routes: publicRoutes } satisfies PublicRouteList },
        { provide: APP_GUARD, useClass: SignInGuard },
        // Guards are asked in this order.
        { provide: APP_GUARD, useClass: FreshSignInGuard },
      ],
      exports: [ApiTokens, SignInBars, SignInIdentities, SignInLinks, SignInNews, TokenOwners, WhoIsWho],
    };
  }
}
