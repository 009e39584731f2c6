import { z } from 'zod';
import type { CallContext } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { HttpClient, type HttpRequest } from '../kit/http-client.js';
import {
  listResponse,
  scimErrorCode,
  scimGroup,
  scimUser,
  serviceProviderConfig,
  type ScimGroup,
  type ScimUser,
  type ServiceProviderConfig,
} from './scim-resources.js';

export interface ScimClientOptions {
  baseUrl: string;
  token: string;
  certificateAuthority?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
  /** What the server can do, for one that has no ServiceProviderConfig. */
  features: ServiceProviderConfig | null;
}

export interface ScimPage<T> {
  resources: readonly T[];
  /** Null: the server doesn't say, as it may where pages go by cursor. */
  totalResults: number | null;
  nextCursor: string | null;
}

/** What a change is made to: a user or a group as it was read, with its version where the server keeps some. */
type Versioned = Pick<ScimUser, 'id' | 'meta'>;

export interface PatchOperation {
  op: 'add' | 'remove' | 'replace';
  path?: string;
  value?: unknown;
}

/** The protocol of RFC 7644: paths, messages and parsing; it decides nothing. Throws `ToolError`. */
export class ScimClient {
  private readonly http: HttpClient;
  private config: Promise<ServiceProviderConfig> | undefined;

  constructor(private readonly options: ScimClientOptions) {
    this.http = new HttpClient({
      baseUrl: options.baseUrl,
      authorization: `Bearer ${options.token}`,
      allowPrivateAddresses: options.allowPrivateAddresses,
      call: options.call,
      ca: options.certificateAuthority,
      headers: { accept: 'application/scim+json, application/json;q=0.9' },
      errorCode: scimErrorCode,
      kindOfCode: KIND_OF_KEYWORD,
    });
  }

  /** Asked once per session, or known from the profile of a server that doesn't tell. */
  serviceProviderConfig(): Promise<ServiceProviderConfig> {
    this.config ??= this.options.features ? Promise.resolve(this.options.features) : this.discover();
    return this.config;
  }

  /** Who the token belongs to (RFC 7644, section 3.11); null where the server doesn't tell. */
  async me(): Promise<ScimUser | null> {
    try {
      return await this.get('/Me', scimUser);
    } catch (error) {
      if (error instanceof ToolError && ['not-found', 'unsupported', 'forbidden', 'invalid'].includes(error.kind)) {
        return null;
      }
      throw error;
    }
  }

  async users(query: Record<string, string | number>): Promise<ScimPage<ScimUser>> {
    return this.list('/Users', query, scimUser);
  }

  async groups(query: Record<string, string | number>): Promise<ScimPage<ScimGroup>> {
    return this.list('/Groups', query, scimGroup);
  }

  /**
   * Null only where that can be trusted: the server said 404 and, in the same session, proved to be a SCIM server, so
   * that a wrong base URL never looks like an account that is gone.
   */
  async user(id: string): Promise<ScimUser | null> {
    const path = userPath(id);
    try {
      const user = await this.get(path, scimUser);
      if (user.id !== id) throw new ToolError('invalid', `The server answered ${path} with another user.`);
      return user;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.proveScim();
      return null;
    }
  }

  async createUser(user: Record<string, unknown>): Promise<ScimUser> {
    const { body } = await this.send({ method: 'POST', path: '/Users', body: { schemas: [USER_SCHEMA], ...user } });
    const created = scimUser.safeParse(body);
    if (created.success) return created.data;
    throw new ToolError('ambiguous', 'The server took the new user but didn’t answer with it.');
  }

  async patchUser(user: Versioned, operations: readonly PatchOperation[]): Promise<void> {
    await this.patch(userPath(user.id), user, operations);
  }

  /** For servers without PATCH: the whole user as it was read, with some attributes changed (RFC 7644, 3.5.1). */
  async replaceUser(id: string, changes: Record<string, unknown>): Promise<void> {
    await this.replace(userPath(id), () => changes, READ_ONLY_OF_USER);
  }

  async patchGroup(group: Versioned, operations: readonly PatchOperation[]): Promise<void> {
    await this.patch(groupPath(group.id), group, operations);
  }

  async replaceGroupMembers(id: string, change: (memberIds: readonly string[]) => readonly string[]): Promise<void> {
    const changes = (group: unknown) => {
      const { data } = scimGroup.safeParse(group);
      if (!data) throw new ToolError('invalid', 'The server showed a group that isn’t SCIM’s.');
      const memberIds = (data.members ?? []).flatMap(({ value }) => value ?? []);
      return { members: change(memberIds).map((value) => ({ value })) };
    };
    await this.replace(groupPath(id), changes, []);
  }

  async deleteUser(user: Versioned): Promise<void> {
    await this.send({ method: 'DELETE', path: userPath(user.id), headers: await this.ifMatch(user) });
  }

  close(): void {
    this.http.close();
  }

  private async replace(
    path: string,
    changes: (resource: unknown) => Record<string, unknown>,
    without: readonly string[],
  ): Promise<void> {
    const resource = await this.get(
      path,
      z.looseObject({ meta: z.object({ version: z.string().nullish() }).nullish() }),
    );
    const body: Record<string, unknown> = { ...resource, ...changes(resource) };
    for (const attribute of ['meta', ...without]) delete body[attribute];
    await this.send({ method: 'PUT', path, body, headers: await this.ifMatch(resource) });
  }

  private async patch(path: string, resource: Versioned, operations: readonly PatchOperation[]): Promise<void> {
    const headers = await this.ifMatch(resource);
    await this.send({ method: 'PATCH', path, body: patchMessage(operations), headers });
  }

  /**
   * Without it somebody's change between the look and the change would be lost; with it the server answers 412, and
   * some answer 428 when it is missing (RFC 7644, section 3.14).
   */
  private async ifMatch({ meta }: Pick<Versioned, 'meta'>): Promise<Record<string, string>> {
    const { etag } = await this.serviceProviderConfig();
    return etag.supported && meta?.version ? { 'if-match': meta.version } : {};
  }

  private async discover(): Promise<ServiceProviderConfig> {
    try {
      return await this.get('/ServiceProviderConfig', serviceProviderConfig);
    } catch (error) {
      throw isNotFound(error) ? notScim('It has no ServiceProviderConfig.') : error;
    }
  }

  /** Throws `invalid` when what is below the base URL isn't a SCIM server (RFC 7644, section 4: it must say it is). */
  private async proveScim(): Promise<void> {
    if (!this.options.features) return void (await this.serviceProviderConfig());
    await this.users({ count: 1 }).catch((error: unknown) => {
      throw isNotFound(error) ? notScim('It has no Users.') : error;
    });
  }

  private send(request: HttpRequest) {
    return this.http.request({ ...request, headers: { 'content-type': 'application/scim+json', ...request.headers } });
  }

  private async get<T>(path: string, shape: z.ZodType<T>, query: HttpRequest['query'] = {}): Promise<T> {
    const { body } = await this.http.request({ method: 'GET', path, query });
    const parsed = shape.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ToolError('invalid', `GET ${path} was answered with JSON that isn’t SCIM’s.`, {
      remedy: 'Check the base URL; it must be the one above /Users.',
    });
  }

  private async list<T>(path: string, query: Record<string, string | number>, shape: z.ZodType<T>) {
    const { Resources, totalResults = null, nextCursor } = await this.get(path, listResponse, query);
    const resources = z.array(shape).safeParse(Resources);
    if (!resources.success) throw new ToolError('invalid', `GET ${path} listed something that isn’t SCIM’s.`);
    return { resources: resources.data, totalResults, nextCursor: nextCursor || null };
  }
}

/**
 * `attribute eq "value"` with the value as a JSON string (RFC 7644, section 3.4.2.2: compValue is JSON's), so that
 * quotes and backslashes stay data.
 */
export function equals(attribute: string, value: string): string {
  return `${attribute} eq ${JSON.stringify(value)}`;
}

/** A cursor that ran out is asked for again from the start; a filter that isn't known is done without. */
const KIND_OF_KEYWORD = {
  expiredCursor: 'transient',
  invalidCursor: 'transient',
  invalidFilter: 'unsupported',
} as const;

const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const READ_ONLY_OF_USER = ['groups'];

function userPath(id: string): string {
  return `/Users/${encodeURIComponent(id)}`;
}

function groupPath(id: string): string {
  return `/Groups/${encodeURIComponent(id)}`;
}

function patchMessage(operations: readonly PatchOperation[]) {
  return { schemas: [PATCH_SCHEMA], Operations: operations };
}

function notScim(why: string): ToolError {
  return new ToolError('invalid', `The base URL isn’t a SCIM server’s: ${why}`, {
    remedy: 'Check the base URL; it must be the one above /Users.',
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof ToolError && error.kind === 'not-found';
}
