import { createHash } from 'node:crypto';
import type { Mark } from '../kit/contract.js';
import type { WholeUser } from './client.js';
import type { RabbitmqRole } from './manifest.js';
import type { Permission, RabbitUser } from './resources.js';

/**
 * What the connector keeps with a user, in the user's tags: RabbitMQ gives a meaning to five tags only and keeps all
 * others. They are written in one call with the password, and gone with the user.
 */
export interface UserNote {
  mark: Mark;
  roles: readonly string[];
  /** The password's hash while the user is suspended and has none; null otherwise. */
  heldHash: string | null;
}

const MARK = 'quartermaster:mark:';
const ROLE = 'quartermaster:role:';
const HELD = 'quartermaster:held:';

/** Null for a user that isn't ours. */
export function readNote({ tags }: Pick<RabbitUser, 'tags'>): UserNote | null {
  const after = (prefix: string) => tags.flatMap((tag) => (tag.startsWith(prefix) ? [tag.slice(prefix.length)] : []));
  const [mark] = after(MARK);
  if (mark === undefined) return null;
  return { mark: decode(mark), roles: after(ROLE), heldHash: after(HELD)[0] ?? null };
}

/** Tags by which the management pages let somebody in; all of them come from roles. */
const PAGES = ['administrator', 'management', 'policymaker', 'monitoring', 'impersonator'];

/** A user as it should be: a suspended one has no password and no access to the management pages. */
export function userWith(
  user: WholeUser,
  note: UserNote,
  roles: readonly RabbitmqRole[],
  passwordHash: string,
): WholeUser {
  const isSuspended = note.heldHash !== null;
  const others = user.tags.filter((tag) => !tag.startsWith('quartermaster:') && !PAGES.includes(tag));
  const pages = isSuspended ? [] : roles.filter(({ name }) => note.roles.includes(name)).flatMap(({ tags }) => tags);
  return {
    name: user.name,
    password_hash: isSuspended ? '' : passwordHash,
    hashing_algorithm: user.hashing_algorithm,
    tags: [
      ...new Set([
        ...others,
        ...pages,
        `${MARK}${encode(note.mark)}`,
        ...note.roles.map((role) => `${ROLE}${role}`),
        ...(note.heldHash === null ? [] : [`${HELD}${note.heldHash}`]),
      ]),
    ],
  };
}

/** Suspended in both ways: no password to sign in with, and no connection allowed, however somebody signed in. */
export function isSuspended(user: RabbitUser): boolean {
  return user.password_hash === '' && user.limits['max-connections'] === 0;
}

/** Changes with every password, whoever sets it, since each has a salt of its own; tells nothing about it. */
export function credentialVersionOf(user: RabbitUser): string {
  const hash = user.password_hash || (readNote(user)?.heldHash ?? '');
  return createHash('sha256').update(`quartermaster ${hash}`).digest('base64url').slice(0, 22);
}

/** RabbitMQ keeps one set of rights for a user in a vhost, so several roles there are put side by side. */
export function permissionFor(vhost: string, roles: readonly RabbitmqRole[]): Permission {
  const there = roles.filter((role) => role.vhost === vhost);
  const either = (patterns: readonly string[]) => {
    const some = [...new Set(patterns.filter(Boolean))];
    return some.length > 1 ? some.map((pattern) => `(${pattern})`).join('|') : (some[0] ?? '');
  };
  return {
    vhost,
    configure: either(there.map(({ configure }) => configure)),
    write: either(there.map(({ write }) => write)),
    read: either(there.map(({ read }) => read)),
  };
}

export function samePermission(a: Permission | undefined, b: Permission): boolean {
  return a !== undefined && a.configure === b.configure && a.write === b.write && a.read === b.read;
}

/** A tag can't hold a comma, and some versions trim blanks. */
function encode(mark: Mark): string {
  if (/^[A-Za-z0-9_.:-]{1,200}$/.test(mark) && !mark.startsWith('b64.')) return mark;
  return `b64.${Buffer.from(mark).toString('base64url')}`;
}

function decode(text: string): Mark {
  return text.startsWith('b64.') ? Buffer.from(text.slice(4), 'base64url').toString() : text;
}
