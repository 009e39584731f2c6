import type { CallContext } from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { HttpClient } from '../../../connectors/kit/http-client.js';

export interface ExampleToolClientOptions {
  baseUrl: string;
  token: string;
  certificateAuthority?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
}

/** A user as the tool shows it; what isn't needed here isn't read. */
export interface ExampleToolUser {
  /** The tool's own id: never changes, never used again. */
  id: string;
  name: string;
  /** What `createUser` left at the tool to find this user again. */
  mark: string | null;
  email: string | null;
  isActive: boolean;
  /** Changes with each new password; null where the tool doesn't show such a thing. */
  passwordVersion: string | null;
  /** Names of the groups. */
  groups: readonly string[];
  /** How many sessions and tokens are live, as the tool counts them. */
  sessions: number;
}

/**
 * The tool's protocol: paths, messages and parsing. It decides nothing, and throws `ToolError` only.
 *
 * A method is a request and a parsed answer:
 *
 *     const { body } = await this.http.request({ method: 'GET', path: `/users/${encodeURIComponent(id)}` });
 *     const parsed = userShape.safeParse(body);   // zod; an answer of another shape is `invalid`
 *
 * The kit's HTTP client keeps the deadline, refuses redirects and private addresses, and turns each status into the
 * right kind of error.
 */
export class ExampleToolClient {
  private readonly http: HttpClient;

  constructor(options: ExampleToolClientOptions) {
    this.http = new HttpClient({
      baseUrl: options.baseUrl,
      authorization: `Bearer ${options.token}`,
      allowPrivateAddresses: options.allowPrivateAddresses,
      call: options.call,
      ca: options.certificateAuthority,
    });
  }

  /** Whose token this is. Wrong credentials have to show here as `auth-broken`: the kit makes that of a 401. */
  async whoami(): Promise<{ id: string; name: string; version: string | null }> {
    throw fillIn('whoami');
  }

  /** One page, in an order that doesn't change while pages are read; `next` is null on the last. */
  async users(next: string | null): Promise<{ users: readonly ExampleToolUser[]; next: string | null }> {
    throw fillIn('users', { next });
  }

  /** Everybody with this mark, user name or address. More than those may be answered; they are compared again. */
  async usersLike(query: { mark: string; username: string; email: string }): Promise<readonly ExampleToolUser[]> {
    throw fillIn('usersLike', query);
  }

  /** Null only where that can be trusted: a 404 of the API itself, not of some other page. */
  async user(id: string): Promise<ExampleToolUser | null> {
    throw fillIn('user', { id });
  }

  /** Throws `conflict` when the name is taken. The mark is written in the same request. */
  async createUser(user: { name: string; mark: string; email: string; password: string }): Promise<ExampleToolUser> {
    throw fillIn('createUser', user);
  }

  async setActive(id: string, isActive: boolean): Promise<void> {
    throw fillIn('setActive', { id, isActive });
  }

  /** Also for a suspended user, who stays suspended. */
  async setPassword(id: string, password: string): Promise<void> {
    throw fillIn('setPassword', { id, password });
  }

  /** Sessions, tokens and keys. Suspending ends them in few tools, so this is always called beside it. */
  async endSessions(id: string): Promise<void> {
    throw fillIn('endSessions', { id });
  }

  async deleteUser(id: string): Promise<void> {
    throw fillIn('deleteUser', { id });
  }

  /** The group's id; null when there is none of this name. */
  async groupNamed(name: string): Promise<string | null> {
    throw fillIn('groupNamed', { name });
  }

  async addMember(groupId: string, userId: string): Promise<void> {
    throw fillIn('addMember', { groupId, userId });
  }

  async removeMember(groupId: string, userId: string): Promise<void> {
    throw fillIn('removeMember', { groupId, userId });
  }

  close(): void {
    this.http.close();
  }
}

/** Marks what isn't written yet; goes with its last use. Shows names, never values: a password is among them. */
function fillIn(method: string, given: object = {}): ToolError {
  const place = 'connectors/example-tool/client.ts';
  return new ToolError('unsupported', `Fill in ${method}(${Object.keys(given).join(', ')}) in ${place}.`);
}
