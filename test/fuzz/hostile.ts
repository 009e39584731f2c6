import { deflateSync, gzipSync } from 'node:zlib';

/** Nested so deeply that what walks it without care runs out of stack. */
function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Values that break what reads them without care, wherever in a request they stand. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  [],
  {},
  [[]],
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53 + 2,
  1e308,
  -1e-308,
  // NUL, other control characters, half a surrogate pair, what isn't a character.
  'a\u0000b',
  '\u0001\u001b[31m\u007f\r\nX-Injected: yes',
  '\ud800',
  'a\udfff\ud83d',
  '\uffff\ufeff',
  // Text that runs the other way, joins, or isn't normalised.
  '\u202egnp.exe',
  'e\u0301'.repeat(50),
  '👩‍👩‍👧‍👦'.repeat(20),
  'İstanbul ﬃ ß',
  // For SQL, for LIKE, for shells, paths, pages, templates, spreadsheets and logs.
  "' OR 1=1; DROP TABLE people; --",
  `"; SELECT pg_sleep(10); --`,
  '%_\\%',
  '$(touch /tmp/x) `id` | cat',
  '../../../../etc/passwd',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '{{7*7}}${7*7}<%= 7*7 %>#{7*7}',
  '=HYPERLINK("http://127.0.0.1/?"&A1,"x")',
  "@SUM(1+1)*cmd|' /C calc'!A0",
  '%s%n%x${jndi:ldap://127.0.0.1/a}',
  // For JavaScript.
  '__proto__',
  'constructor',
  'toString',
  JSON.parse('{"__proto__":{"isAdmin":true}}'),
  JSON.parse('{"constructor":{"prototype":{"isAdmin":true}}}'),
  { $gt: '' },
  { toString: null, valueOf: 1 },
  { length: 1e9 },
  'NaN',
  'undefined',
  // Times at the ends of what can be written.
  '0000-01-01',
  '9999-12-31',
  '2026-02-30',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-06-30T23:59:60Z',
  '2026-01-01T00:00:00+23:59',
  '+275760-09-13T00:00:00Z',
  // Ids and versions that look right.
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '01990000-0000-7000-8000-000000000000 ',
  // Long, many, deep.
  'a'.repeat(5_000),
  '🙂'.repeat(2_500),
  'a'.repeat(120_000),
  Array.from({ length: 5_000 }, (_, index) => index),
  Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`key-${index}`, index])),
  nested(2_000),
];

/** What a hostile text looks like in a path or a query, bytes that aren't UTF-8 and broken escapes among them. */
export const HOSTILE_SEGMENTS: readonly string[] = [
  ...HOSTILE_VALUES.filter((value): value is string => typeof value === 'string' && value.isWellFormed())
    .filter((text) => text !== '' && text.length < 2_000)
    .map((text) => encodeURIComponent(text)),
  '%',
  '%zz',
  '%ff%fe',
  '%c0%ae%c0%ae',
  '%ed%a0%80',
  '%00',
  '..%2f..%2fetc%2fpasswd',
  '..;',
  'a%2fb',
  '%2525',
];

/** Bodies that aren't what their headers say. */
export const HOSTILE_BODIES: readonly { headers: Record<string, string>; body: Buffer | string }[] = [
  { headers: { 'content-type': 'application/json' }, body: '' },
  { headers: { 'content-type': 'application/json' }, body: '{' },
  { headers: { 'content-type': 'application/json' }, body: '"text"' },
  { headers: { 'content-type': 'application/json' }, body: 'null' },
  { headers: { 'content-type': 'application/json' }, body: '[1,2' },
  { headers: { 'content-type': 'application/json' }, body: '\ufeff{"a":1}' },
  { headers: { 'content-type': 'application/json' }, body: '{"a":1,"a":2,"__proto__":{"b":1}}' },
  {
    headers: { 'content-type': 'application/json' },
    body: '{"a":1e999,"b":-1e999,"c":123456789012345678901234567890}',
  },
  { headers: { 'content-type': 'application/json' }, body: '['.repeat(100_000) },
  { headers: { 'content-type': 'application/json' }, body: '[1,'.repeat(50_000) },
  { headers: { 'content-type': 'application/json' }, body: Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]) },
  { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ a: 'x'.repeat(300_000) }) },
  { headers: { 'content-type': 'application/json; charset=utf-16' }, body: Buffer.from('{"a":1}', 'utf16le') },
  { headers: { 'content-type': 'application/json; charset=nothing' }, body: '{}' },
  { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: 'not gzip at all' },
  { headers: { 'content-type': 'application/json', 'content-encoding': 'snappy' }, body: '{}' },
  // A small body that is a large one once it is unpacked.
  {
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify('x'.repeat(5_000_000))),
  },
  { headers: { 'content-type': 'application/json', 'content-encoding': 'deflate' }, body: deflateSync('{"a":') },
  { headers: { 'content-type': 'application/vnd.acme+json' }, body: '{"a":1}' },
  { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a[__proto__][b]=1&a[]=2&%ff=%' },
  { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x\r\nContent-Disposition: form-data' },
  { headers: { 'content-type': 'text/xml' }, body: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' },
  { headers: { 'content-type': 'text/plain' }, body: '{"a":1}' },
  { headers: { 'content-type': 'a'.repeat(3_000) }, body: '{}' },
  { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.alloc(1_000, 0xff) },
];

/** Header fields that somebody reads. */
export const HOSTILE_HEADERS: readonly Record<string, string>[] = [
  { 'if-match': '*' },
  { 'if-match': '"x", "y"' },
  { 'if-match': `"${'9'.repeat(400)}"` },
  { 'if-match': '"-1"' },
  { 'idempotency-key': ' ' },
  { 'idempotency-key': 'k'.repeat(256) },
  { 'idempotency-key': 'é' },
  { accept: 'application/xml;q=0.5, */*;q=zero' },
  { 'accept-language': '*'.repeat(2_000) },
  { 'accept-encoding': 'br;q=a, gzip;q=' },
  { cookie: 'quartermaster=j:{"a":1}; __Host-quartermaster=%E0%A4%A' },
  { cookie: `quartermaster=${'a'.repeat(4_000)}; __proto__=1; =; ;;` },
  { 'content-length': '0' },
  { 'transfer-encoding': 'chunked' },
  { expect: '100-continue' },
  { range: 'bytes=0-0,5-9,-1' },
  { host: '[::1' },
  { host: 'evil.example' },
  { 'x-forwarded-for': 'unknown, ::ffff:1.2.3.4, \t' },
  { 'x-forwarded-host': 'evil.example', forwarded: 'for=";' },
  { 'x-http-method-override': 'DELETE' },
  { 'sec-fetch-site': 'cross-site', origin: 'null' },
  { 'if-modified-since': 'never', 'if-none-match': '*' },
  { 'webhook-id': 'x'.repeat(300), 'webhook-timestamp': '1e9', 'webhook-signature': 'v1,' },
  { 'webhook-id': 'é', 'webhook-timestamp': '999999999999', 'webhook-signature': 'v1,*** v2,a v1a,b' },
];

/** Queries that aren't a list of texts. */
export const HOSTILE_QUERIES: readonly string[] = [
  'limit=1&limit=2',
  'limit[$gt]=1&cursor[]=a',
  'limit=1e2&cursor=',
  'limit=0x10',
  'limit=%00',
  'cursor=WyJhIiwiYiJd',
  'cursor=bnVsbA',
  `cursor=${Buffer.from(JSON.stringify(['\u0000', '01990000-0000-7000-8000-000000000000'])).toString('base64url')}`,
  `cursor=${Buffer.from(JSON.stringify(['9'.repeat(500), '01990000-0000-7000-8000-000000000000'])).toString('base64url')}`,
  'sort=id;DROP+TABLE+people&order=desc',
  '__proto__[a]=1&constructor=2',
  'search=%ff%00%25_',
  'a'.repeat(3_000),
  '%',
  '&&==&=',
];

/**
 * The value with one node of it, chosen by `place`, replaced, left out, doubled or joined by a stranger.
 * @param place any non-negative integer
 */
export function spoil(value: unknown, place: number, how: Spoiling): unknown {
  const copy = structuredClone(value);
  const nodes = nodesOf(copy);
  const node = nodes[place % Math.max(1, nodes.length)];
  if (!node) return apply(how, copy);
  const { holder, key } = node;
  if (how.kind === 'drop') Reflect.deleteProperty(holder, key);
  else if (how.kind === 'stranger') Reflect.set(holder, 'notKnownHere', 1);
  else Reflect.set(holder, key, apply(how, Reflect.get(holder, key)));
  return copy;
}

export type Spoiling =
  { kind: 'replace'; by: unknown } | { kind: 'drop' } | { kind: 'stranger' } | { kind: 'stretch' } | { kind: 'wrap' };

function apply(how: Spoiling, value: unknown): unknown {
  switch (how.kind) {
    case 'replace':
      return how.by;
    case 'stretch':
      if (typeof value === 'string') return value === '' ? 'x' : value.repeat(Math.ceil(2_100 / value.length));
      return typeof value === 'number' ? value * 1e12 + 0.5 : [value, value];
    case 'wrap':
      return Array.isArray(value) ? value[0] : [value];
    case 'drop':
    case 'stranger':
      return null;
  }
}

function nodesOf(value: unknown): { holder: object; key: PropertyKey }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Reflect.ownKeys(value)
    .filter((key) => !(Array.isArray(value) && key === 'length'))
    .flatMap((key) => [{ holder: value, key }, ...nodesOf(Reflect.get(value, key))]);
}
