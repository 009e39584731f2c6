/** Header fields and properties whose values are never written. */
export const REDACTED_PATHS = [
  'req.headers.authorization',
  'req.headers.cookie',
  ...['authorization', 'cookie', 'password', 'token', 'secret', 'body', 'rawBody', 'parameters'].flatMap((name) => [
    name,
    `*.${name}`,
  ]),
];

/** Tokens in links and elsewhere are runs of 40 or more of these characters; ids (36) and hashes in hex prefixes aren't. */
const TOKEN = /[A-Za-z0-9_-]{40,}/g;

export function withoutTokens(text: string): string {
  return text.replace(TOKEN, '[redacted]');
}
