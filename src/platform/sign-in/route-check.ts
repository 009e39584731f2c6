import { Injectable, RequestMethod, type OnApplicationBootstrap } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { DiscoveryService, HttpAdapterHost, MetadataScanner } from '@nestjs/core';
import type { Scope } from './actor.js';
import { NEEDS_FRESH_SIGN_IN } from './fresh-sign-in.js';
import { ALLOWED_SCOPE, HEEDS_REACH, PUBLIC_ROUTE, SIGNED_IN_ROUTE } from './who-may-call.js';

export interface DeclaredRoute {
  /** As in `GET /v1/people/:id`. */
  route: string;
  /** Where to look in the source: `PeopleController.find`. */
  handler: string;
  /** What a caller needs. */
  scope?: Scope | undefined;
  /** Whether it heeds the reach of a narrowed role. */
  heedsReach: boolean;
  /** Whether a browser gets to it only within minutes after its person proved who they are. */
  needsFreshSignIn: boolean;
  isPublic: boolean;
  /** Whether whoever is signed in may call it, with whichever scope. */
  isForAllSignedIn: boolean;
}

/** The committed list, as a provider. */
export abstract class PublicRouteList {
  abstract readonly routes: readonly string[];
}

/** The routes don't say who may call them; the service doesn't start. */
export class RouteDeclarationError extends Error {
  override readonly name = 'RouteDeclarationError';
}

/**
 * @param served What the HTTP server really answers to: a route registered past the controllers is found by it.
 * @throws RouteDeclarationError with a line per route.
 */
export function checkRoutes(
  declared: readonly DeclaredRoute[],
  served: readonly string[],
  publicRoutes: readonly string[],
): void {
  const known = new Set(declared.map(({ route }) => route));
  const expected = new Set(publicRoutes);
  const open = declared.filter(({ isPublic, scope }) => isPublic && !scope).map(({ route }) => route);
  const problems = [
    ...declared
      .filter((route) => declarationsOf(route).length === 0)
      .map(
        ({ route, handler }) =>
          `${route} (${handler}) says nowhere who may call it: add @Allow('…'), @SignedIn() or @Public()`,
      ),
    ...declared
      .filter((route) => declarationsOf(route).length > 1)
      .map((route) => `${route.route} (${route.handler}) has both ${declarationsOf(route).join(' and ')}: keep one`),
    ...open.filter((route) => !expected.has(route)).map((route) => `${route} is public but not in public-routes.ts`),
    ...publicRoutes
      .filter((route) => !open.includes(route))
      .map((route) => `${route} is in public-routes.ts, but there is no such public route`),
    ...served
      .filter((route) => !known.has(route))
      .map((route) => `${route} is served past the controllers, so nothing guards it`),
  ];
  if (problems.length > 0)
    throw new RouteDeclarationError(`Who may call what isn't clear:\n- ${problems.join('\n- ')}`);
}

function declarationsOf({ scope, isForAllSignedIn, isPublic }: DeclaredRoute): string[] {
  return [scope ? '@Allow' : '', isForAllSignedIn ? '@SignedIn()' : '', isPublic ? '@Public()' : ''].filter(Boolean);
}

/** Runs `checkRoutes` once the routes stand and before anybody can call them. */
@Injectable()
export class RouteCheck implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly server: HttpAdapterHost,
    private readonly list: PublicRouteList,
  ) {}

  onApplicationBootstrap(): void {
    // A context without a server (a worker, a command) serves nothing.
    if (!this.server.httpAdapter) return;
    checkRoutes(this.routes(), servedRoutes(this.server.httpAdapter.getInstance()), this.list.routes);
  }

  /** Every route of every controller. */
  routes(): DeclaredRoute[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, unknown>;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        if (typeof handler !== 'function') return [];
        const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (method === undefined) return [];
        const [bases, paths] = [metatype, handler].map((target) =>
          [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat(),
        );
        return (bases ?? []).flatMap((base) =>
          (paths ?? []).map((path) => ({
            route: `${RequestMethod[method]} ${joined(base, path)}`,
            handler: `${metatype.name}.${name}`,
            scope: Reflect.getMetadata(ALLOWED_SCOPE, handler) as Scope | undefined,
            heedsReach: Reflect.getMetadata(HEEDS_REACH, handler) === true,
            needsFreshSignIn: Reflect.getMetadata(NEEDS_FRESH_SIGN_IN, handler) === true,
            isPublic: Reflect.hasMetadata(PUBLIC_ROUTE, handler),
            isForAllSignedIn: Reflect.hasMetadata(SIGNED_IN_ROUTE, handler),
          })),
        );
      });
    });
  }
}

function joined(...parts: string[]): string {
  return `/${parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;
}

/** Nest registers each module's middleware (the log's) as a route of all methods at this path; it answers nothing. */
const MIDDLEWARE = '{/*splat}';

/** What Express answers to, as in `GET /v1/people/:id`. */
function servedRoutes(express: unknown): string[] {
  const { router } = express as {
    router?: { stack?: { route?: { path: string; methods: Record<string, boolean> } }[] };
  };
  return (router?.stack ?? []).flatMap(({ route }) =>
    route && route.path !== MIDDLEWARE
      ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${joined(route.path)}`)
      : [],
  );
}
