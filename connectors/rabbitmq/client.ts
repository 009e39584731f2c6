import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { CallContext } from '../kit/contract.js';
import { remainingMs } from '../kit/deadline.js';
import { ToolError } from '../kit/errors.js';
import { HttpClient, type HttpRequest } from '../kit/http-client.js';
import {
  connection,
  overview,
  permission,
  rabbitErrorCode,
  rabbitUser,
  whoami,
  type Permission,
  type RabbitUser,
} from './resources.js';

export interface RabbitmqClientOptions {
  baseUrl: string;
  user: string;
  password: string;
  certificateAuthority?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
}

/** What `PUT /api/users/…` sets: all of a user at once; a part that is left out is emptied. */
export type WholeUser = Pick<RabbitUser, 'name' | 'password_hash' | 'hashing_algorithm' | 'tags'>;

/** The management API: paths, messages and parsing; it decides nothing. Throws `ToolError`. */
export class RabbitmqClient {
  private readonly http: HttpClient;
  private isLetIn = false;

  constructor(private readonly options: RabbitmqClientOptions) {
    this.http = new HttpClient({
      baseUrl: options.baseUrl,
      authorization: `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`,
      allowPrivateAddresses: options.allowPrivateAddresses,
      call: options.call,
      ca: options.certificateAuthority,
      // GET /api/users has no pages in all versions; a user takes some 300 bytes.
      maxBytes: 32 * 1024 * 1024,
      // The limits’ resource has no JSON to give and refuses a client that wants nothing else (406; seen on 3.10).
      headers: { accept: 'application/json, */*;q=0.5' },
      errorCode: rabbitErrorCode,
    });
  }

  /** Proves that this is the API and that it lets us in; called before anything else. */
  async whoami(): Promise<{ name: string; tags: readonly string[] }> {
    const { name, tags } = await this.get('/api/whoami', whoami);
    this.isLetIn = true;
    return { name, tags: typeof tags === 'string' ? tags.split(',') : tags };
  }

  async version(): Promise<string> {
    return (await this.get('/api/overview', overview)).rabbitmq_version;
  }

  users(): Promise<readonly RabbitUser[]> {
    return this.get('/api/users', z.array(rabbitUser));
  }

  /** Null can be trusted: `whoami` has shown that the API is here and lets us in. */
  async user(name: string): Promise<RabbitUser | null> {
    const user = await this.unlessGone(this.get(userPath(name), rabbitUser));
    if (user && user.name !== name) throw new ToolError('invalid', 'The server answered with another user.');
    return user;
  }

  /** Answers whether the user was made (201) or was there (204). */
  async putUser({ name, ...user }: WholeUser): Promise<'made' | 'changed'> {
    const { status } = await this.send({ method: 'PUT', path: userPath(name), body: user });
    return status === 201 ? 'made' : 'changed';
  }

  async deleteUser(name: string): Promise<void> {
    await this.unlessGone(this.send({ method: 'DELETE', path: userPath(name) }));
  }

  async permissionsOf(name: string): Promise<readonly Permission[]> {
    return (await this.unlessGone(this.get(`${userPath(name)}/permissions`, z.array(permission)))) ?? [];
  }

  async putPermission(name: string, { vhost, ...rights }: Permission): Promise<void> {
    await this.send({ method: 'PUT', path: permissionPath(vhost, name), body: rights });
  }

  async deletePermission(name: string, vhost: string): Promise<void> {
    await this.unlessGone(this.send({ method: 'DELETE', path: permissionPath(vhost, name) }));
  }

  async hasVhost(vhost: string): Promise<boolean> {
    const path = `/api/vhosts/${encodeURIComponent(vhost)}`;
    return (await this.unlessGone(this.get(path, z.object({ name: z.string() })))) !== null;
  }

  /** How many connections a user may have: 0 for none at all. */
  async limitConnections(name: string, value: number): Promise<void> {
    await this.send({ method: 'PUT', path: limitPath(name), body: { value } });
  }

  async unlimitConnections(name: string): Promise<void> {
    await this.unlessGone(this.send({ method: 'DELETE', path: limitPath(name) }));
  }

  /** The names of the live connections of a user, on all nodes, from the broker's own list and not its statistics. */
  async connectionsOf(name: string): Promise<readonly string[]> {
    const path = `/api/connections/username/${encodeURIComponent(name)}`;
    return (await this.get(path, z.array(connection))).map(({ name }) => name);
  }

  async closeConnectionsOf(name: string): Promise<void> {
    const path = `/api/connections/username/${encodeURIComponent(name)}`;
    await this.send({ method: 'DELETE', path, headers: { 'x-reason': 'access ended by Quartermaster' } });
  }

  /** Asks again until the answer is true or the call’s time is nearly over; false then. */
  async until(condition: () => Promise<boolean>): Promise<boolean> {
    const { call } = this.options;
    for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
      if (await condition()) return true;
      if (remainingMs(call) < wait + MARGIN_MS) return false;
      await pause(wait, undefined, { signal: call.signal }).catch(() => undefined);
    }
  }

  close(): void {
    this.http.close();
  }

  /** The API answers 401 both to a wrong password and to a user without the right; by then we know which it is. */
  private async send(request: HttpRequest) {
    try {
      return await this.http.request(request);
    } catch (error) {
      if (!this.isLetIn || !(error instanceof ToolError) || error.kind !== 'auth-broken') throw error;
      throw new ToolError('forbidden', `“${this.options.user}” may not do that: it lacks the tag administrator.`, {
        permission: 'the tag administrator',
        remedy: `rabbitmqctl set_user_tags ${this.options.user} administrator`,
      });
    }
  }

  private async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    const { body } = await this.send({ method: 'GET', path });
    const parsed = shape.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ToolError('invalid', `GET ${path} was answered with JSON that isn’t RabbitMQ’s.`, {
      remedy: 'Check the base URL; it must be the management plugin’s, without /api.',
    });
  }

  private async unlessGone<T>(asked: Promise<T>): Promise<T | null> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'not-found' && this.isLetIn) return null;
      throw error;
    }
  }
}

/** Left at the end of a call for the last request and its answer. */
const MARGIN_MS = 500;

function userPath(name: string): string {
  return `/api/users/${encodeURIComponent(name)}`;
}

function limitPath(name: string): string {
  return `/api/user-limits/${encodeURIComponent(name)}/max-connections`;
}

function permissionPath(vhost: string, name: string): string {
  return `/api/permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`;
}
