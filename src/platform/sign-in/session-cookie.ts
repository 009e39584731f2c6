import type { CookieOptions, Request, Response } from 'express';
import type { Config } from '../config/config.js';
import { Problem } from '../errors/problem.js';
import { SESSION_HOURS } from './browser-sessions.service.js';

/** With `__Host-` a browser takes it only over TLS, for this host alone (RFC 6265bis, 4.1.3.2). */
function sessionCookieName(config: Config): string {
  return isSecure(config) ? '__Host-quartermaster' : 'quartermaster';
}

export function giveSessionCookie(response: Response, config: Config, token: string): void {
  response.cookie(sessionCookieName(config), token, { ...options(config), maxAge: SESSION_HOURS * 3_600_000 });
}

export function takeSessionCookie(response: Response, config: Config): void {
  response.clearCookie(sessionCookieName(config), options(config));
}

function options(config: Config): CookieOptions {
  return { httpOnly: true, sameSite: 'strict', secure: isSecure(config), path: '/' };
}

export function sessionTokenIn(request: Request, config: Config): string | null {
  const cookies: unknown = request.cookies;
  const value = (cookies as Record<string, unknown> | undefined)?.[sessionCookieName(config)];
  return typeof value === 'string' && value !== '' ? value : null;
}

/**
 * Whether the request comes from our own pages. Browsers tell it by Sec-Fetch-Site, older ones by Origin; a request
 * that tells neither doesn't count, since another site could have made it.
 */
export function isSameOrigin(request: Request, config: Config): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  return request.get('origin') === new URL(config.publicUrl).origin;
}

/** For routes that no strategy stands in front of. @throws Problem `forbidden` */
export function refuseOtherSites(request: Request, config: Config): void {
  if (isSameOrigin(request, config)) return;
  throw new Problem('forbidden', 'This can be done from our own pages only.');
}

function isSecure(config: Config): boolean {
  return config.publicUrl.startsWith('https:');
}
