import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Mark } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import type { RedisAclRole } from './manifest.js';

/** A set of rules beside a user's own ones: what it allows comes on top (Redis documentation, “ACL”, “Selectors”). */
export interface Selector {
  commands: string;
  keys: string;
  channels: string;
}

/** `ACL GETUSER`, each part as a text of the rules that make it. */
export interface AclUser extends Selector {
  name: string;
  flags: readonly string[];
  /** SHA-256 of each password, in hexadecimal. */
  passwords: readonly string[];
  selectors: readonly Selector[];
}

/** A role that a user holds, as its selector says; the digest is that of the rules it was given with. */
export interface HeldRole {
  name: string;
  digest: string;
}

const texts = z.array(z.string());
const selectorFields = z.object({ commands: z.string(), keys: z.string(), channels: z.string() });
const userFields = selectorFields.extend({ flags: texts, passwords: texts, selectors: z.array(z.unknown()) });

/** Reads the answer of `ACL GETUSER`, a flat list of names and values. Throws `unsupported` before Redis 7. */
export function readAclUser(name: string, reply: unknown): AclUser {
  const fields = pairs(reply);
  if (!('selectors' in fields)) {
    throw new ToolError('unsupported', 'This server’s ACL users have no selectors: it is older than Redis 7.0.', {
      remedy: 'Update the server; until then its accounts are human tasks.',
    });
  }
  const user = userFields.safeParse(fields);
  const selectors = z.array(selectorFields).safeParse(user.data?.selectors.map(pairs));
  if (!user.success || !selectors.success) throw new ToolError('invalid', 'ACL GETUSER was answered in another form.');
  return { ...user.data, name, selectors: selectors.data };
}

function pairs(reply: unknown): Record<string, unknown> {
  if (!Array.isArray(reply)) return {};
  return Object.fromEntries(
    reply.flatMap((key: unknown, index) => (index % 2 === 0 ? [[String(key), reply[index + 1]]] : [])),
  );
}

const MARK = '%R~quartermaster:mark:';
const ROLE = '%R~quartermaster:role:';

/**
 * Redis keeps no comment with a user, so the mark stands in a selector that allows no command at all and names a key
 * that nobody has. It is written in one command with the user, kept in the same file, and gone with it.
 */
export function markSelector(mark: Mark): string {
  return `(${MARK}${encode(mark)} resetchannels -@all)`;
}

export function markOf({ selectors }: AclUser): Mark | null {
  const found = selectors.find(({ keys }) => keys.startsWith(MARK) && !keys.includes(' '));
  return found ? decode(found.keys.slice(MARK.length)) : null;
}

/** A role is a selector of its own, which begins with a key nobody has and by which it is known again. */
export function roleSelector(role: RedisAclRole): string {
  return `(${ROLE}${role.name}:${digestOf(role)} ${rulesOf(role)})`;
}

export function rolesOf({ selectors }: AclUser): readonly HeldRole[] {
  return selectors.flatMap((selector) => heldRole(selector) ?? []);
}

export function isHeldAsItIs(held: HeldRole, role: RedisAclRole): boolean {
  return held.name === role.name && held.digest === digestOf(role);
}

/** The rules that leave a user with these selectors without one role, and with another one if it is given. */
export function selectorsWith(user: AclUser, without: string, added?: RedisAclRole): readonly string[] {
  const kept = user.selectors.filter((selector) => heldRole(selector)?.name !== without);
  return ['clearselectors', ...kept.map(selectorRule), ...(added ? [roleSelector(added)] : [])];
}

/** What a person may do before any role was given: sign in, and nothing with a key or a channel. */
export const BASE_RULES = ['resetchannels', 'resetkeys', '-@all', '+@connection', '+@transaction', '-@dangerous'];

/** All rules that make a user what it was. */
export function rulesToBe({ flags, passwords, keys, channels, commands, selectors }: AclUser): readonly string[] {
  const words = (text: string) => text.split(' ').filter(Boolean);
  return [
    'reset',
    ...flags.filter((flag) => ['on', 'off', 'nopass', 'sanitize-payload', 'skip-sanitize-payload'].includes(flag)),
    ...passwords.map((hash) => `#${hash}`),
    ...words(keys),
    'resetchannels',
    ...words(channels),
    ...words(commands),
    ...selectors.map(selectorRule),
  ];
}

/** Changes with every password, whoever sets it; tells nothing about it, since it is made of random ones’ hashes. */
export function credentialVersionOf({ passwords }: AclUser): string {
  const hashes = passwords.toSorted((a, b) => (a < b ? -1 : 1)).join(' ');
  return createHash('sha256').update(`quartermaster ${hashes}`).digest('base64url').slice(0, 22);
}

/** What Redis stores of a password (`#`): made here, so that the password itself isn't sent. Throws `invalid`. */
export function passwordRule(password: string): string {
  if (!/^[\x20-\x7e]{8,}$/.test(password)) {
    throw new ToolError('invalid', 'A password must be at least 8 printable ASCII characters.');
  }
  return `#${createHash('sha256').update(password).digest('hex')}`;
}

/**
 * Redis takes almost any name, and writes it as it is into a file of lines and words: a line break would be a user of
 * the attacker's own at the next start, a quote a redis.conf that doesn't load.
 */
export function refuseImpossibleName(name: string): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+=-]*$/u.test(name) && Buffer.byteLength(name) <= 255) return;
  throw new ToolError('invalid', 'A Redis user name can be letters, digits and . _ @ + = - here, up to 255 bytes.', {
    remedy: 'Give this person another user name for this tool.',
  });
}

function heldRole({ keys }: Selector): HeldRole | null {
  const match = /^%R~quartermaster:role:([^ :]+):([0-9a-f]+)(?: |$)/.exec(keys);
  return match?.[1] && match[2] ? { name: match[1], digest: match[2] } : null;
}

function rulesOf({ access, keys, channels }: RedisAclRole): string {
  return [
    ...keys.map((pattern) => `~${pattern}`),
    'resetchannels',
    ...channels.map((pattern) => `&${pattern}`),
    '-@all +@read',
    ...(access === 'read-write' ? ['+@write'] : []),
    ...(channels.length > 0 ? ['+@pubsub'] : []),
    '-@dangerous -@admin -@scripting',
  ].join(' ');
}

function digestOf(role: RedisAclRole): string {
  return createHash('sha256').update(rulesOf(role)).digest('hex').slice(0, 12);
}

function selectorRule({ keys, channels, commands }: Selector): string {
  return `(${[keys, 'resetchannels', channels, commands].filter(Boolean).join(' ')})`;
}

/** Readable where it can be; a pattern's own characters would make it match other keys. */
function encode(mark: Mark): string {
  if (/^[A-Za-z0-9_.:-]{1,200}$/.test(mark) && !mark.startsWith('b64.')) return mark;
  return `b64.${Buffer.from(mark).toString('base64url')}`;
}

function decode(text: string): Mark {
  return text.startsWith('b64.') ? Buffer.from(text.slice(4), 'base64url').toString() : text;
}
