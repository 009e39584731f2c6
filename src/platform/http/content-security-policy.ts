import { createHash } from 'node:crypto';

/** What a browser may do on our pages. Scripts come from here alone, as files. */
const DIRECTIVES = [
  "default-src 'none'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
];

/** The header's value. @param styles those that may stand in a page, each exactly as it stands there; no others may */
export function contentSecurityPolicy(...styles: readonly string[]): string {
  const hashes = styles.map((style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  return [...DIRECTIVES, ["style-src 'self'", ...hashes].join(' ')].join(';');
}
