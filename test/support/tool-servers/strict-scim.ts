import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A SCIM 2.0 server of our own that takes the RFCs at their word, where real ones and SCIMMY are lenient: what isn't
 * allowed is refused, never ignored. In memory, with a sign-in beside it. It is kinder than a vendor's in one way: it
 * never loses what it accepted.
 */
export interface StrictScimOptions {
  token: string;
  groups: readonly string[];
  /** Without it PATCH is answered with 501, and the ServiceProviderConfig says so. */
  patch?: boolean;
  paging?: 'index' | 'cursor';
  /** DELETE hides a user for good (404) and keeps the name taken, as RFC 7644, section 3.6 allows. */
  softDelete?: boolean;
  /** Attributes of a user that a filter may name. */
  filters?: readonly string[];
}

export interface StrictUser {
  id: string;
  revision: number;
  isDeleted: boolean;
  password: string | null;
  tokens: Set<string>;
  attributes: Record<string, unknown> & { userName: string; active: boolean };
}

interface StrictGroup {
  id: string;
  revision: number;
  displayName: string;
  memberIds: Set<string>;
}

/** The user that the token belongs to. */
export const STRICT_SERVICE_USER = 'svc-strict';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0:';
const MAX_PAGE = 2;
const CURSOR_MS = 60_000;

class ScimRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly scimType?: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export class StrictScim {
  readonly users = new Map<string, StrictUser>();
  readonly groups = new Map<string, StrictGroup>();
  /** Every request: `PATCH /Users/4711 If-Match`. */
  readonly seen: string[] = [];
  private readonly cursors = new Map<string, { from: number; query: string; until: number }>();
  /** Before how many of the next changes somebody else changes the same resource. */
  interferences = 0;
  private throttled: { times: number; retryAfter: string | null } = { times: 0, retryAfter: null };
  private readonly server = createServer((request, response) => void this.answer(request, response));

  private constructor(private readonly options: Required<StrictScimOptions>) {}

  static async start(options: StrictScimOptions): Promise<StrictScim> {
    const defaults = { patch: true, paging: 'index', softDelete: false, filters: ['userName', 'externalId'] } as const;
    const scim = new StrictScim({ ...defaults, ...options });
    scim.addUser({ userName: STRICT_SERVICE_USER });
    for (const displayName of options.groups) {
      const id = randomUUID();
      scim.groups.set(id, { id, revision: 1, displayName, memberIds: new Set() });
    }
    scim.server.listen(0, '127.0.0.1');
    await once(scim.server, 'listening');
    return scim;
  }

  /** SCIM is below `/scim/v2`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  addUser(attributes: Record<string, unknown> & { userName: string }): StrictUser {
    const id = randomUUID();
    const blank = { id, revision: 1, isDeleted: false, password: null, tokens: new Set<string>() };
    const user = { ...blank, attributes: { active: true, ...attributes } };
    this.users.set(id, user);
    return user;
  }

  userNamed(userName: string): StrictUser | undefined {
    const same = (user: StrictUser) => user.attributes.userName.toLowerCase() === userName.toLowerCase();
    return [...this.users.values()].find((user) => !user.isDeleted && same(user));
  }

  /** The next requests are answered with 429. */
  throttle(times: number, retryAfter: string | null): void {
    this.throttled = { times, retryAfter };
  }

  forgetCursors(): void {
    for (const cursor of this.cursors.values()) cursor.until = 0;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    try {
      const { status, body, headers } = this.handle(request, url, Buffer.concat(chunks).toString('utf8'));
      response.writeHead(status, { 'content-type': 'application/scim+json', ...headers });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    } catch (error) {
      if (!(error instanceof ScimRefusal)) throw error;
      response.writeHead(error.status, { 'content-type': 'application/scim+json', ...error.headers });
      const scimType = error.scimType === undefined ? {} : { scimType: error.scimType };
      const detail = { status: String(error.status), detail: error.message, ...scimType };
      response.end(JSON.stringify({ schemas: [`${MESSAGES}Error`], ...detail }));
    }
  }

  private handle(request: IncomingMessage, url: URL, text: string): Answer {
    if (url.pathname === '/session') return this.signIn(JSON.parse(text) as { userName: string; password: string });
    const bearer = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (url.pathname === '/me') {
      const holder = [...this.users.values()].find(({ tokens }) => tokens.has(bearer));
      return { status: holder ? 200 : 401, body: { userName: holder?.attributes.userName } };
    }
    const [, scim, version, type = '', id, ...deeper] = url.pathname.split('/');
    if (scim !== 'scim' || version !== 'v2' || deeper.length > 0) throw new ScimRefusal(404, 'No such path');
    const method = request.method ?? '';
    const conditional = request.headers['if-match'] === undefined ? '' : ' If-Match';
    this.seen.push(`${method} /${[type, id].filter(Boolean).join('/')}${conditional}`);
    if (bearer !== this.options.token) throw new ScimRefusal(401, 'The token is not accepted');
    if (this.throttled.times > 0) {
      this.throttled.times -= 1;
      const { retryAfter } = this.throttled;
      const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': retryAfter };
      throw new ScimRefusal(429, 'Too many requests', undefined, headers);
    }
    if (!/application\/scim\+json|\*\/\*/.test(request.headers.accept ?? ''))
      throw new ScimRefusal(406, 'Wrong Accept');
    if (text !== '' && request.headers['content-type'] !== 'application/scim+json') {
      throw new ScimRefusal(415, 'The body must be application/scim+json');
    }
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return this.route(method, type, id, url, body, request.headers['if-match']);
  }

  private route(
    method: string,
    type: string,
    id: string | undefined,
    url: URL,
    body: Record<string, unknown>,
    ifMatch: string | undefined,
  ): Answer {
    // Paths are compared with regard to case (RFC 3986, section 6.2.2.1).
    if (type === 'ServiceProviderConfig' && method === 'GET') return { status: 200, body: this.config() };
    if (type === 'Me' && method === 'GET') {
      const own = this.userNamed(STRICT_SERVICE_USER);
      if (own) return this.shown(this.userResource(own));
    }
    if (type !== 'Users' && type !== 'Groups') throw new ScimRefusal(404, 'No such resource type');
    if (id === undefined) {
      if (method === 'GET') return { status: 200, body: this.list(type, url.searchParams) };
      if (method === 'POST' && type === 'Users') return this.createUser(body);
      throw new ScimRefusal(405, 'Not allowed here');
    }
    const resource = type === 'Users' ? this.liveUser(decodeURIComponent(id)) : this.groups.get(decodeURIComponent(id));
    if (!resource) throw new ScimRefusal(404, 'There is no such resource');
    const show = () => ('attributes' in resource ? this.userResource(resource) : this.groupResource(resource));
    if (method === 'GET') return this.shown(show());
    if (method === 'PATCH' && !this.options.patch) throw new ScimRefusal(501, 'PATCH is not implemented');
    if (this.interferences > 0) {
      this.interferences -= 1;
      resource.revision += 1;
    }
    if (ifMatch === undefined) throw new ScimRefusal(428, 'If-Match is needed');
    if (ifMatch !== versionOf(resource)) throw new ScimRefusal(412, 'It was changed meanwhile');
    if (method === 'DELETE' && 'attributes' in resource) return this.deleteUser(resource);
    if (method === 'PUT') {
      if ('attributes' in resource) this.replaceUser(resource, body);
      else this.replaceGroup(resource, body);
    } else if (method === 'PATCH') {
      requireSchema(body, `${MESSAGES}PatchOp`);
      for (const operation of operationsOf(body)) {
        if ('attributes' in resource) this.patchUser(resource, operation);
        else this.patchGroup(resource, operation);
      }
    } else throw new ScimRefusal(405, 'Not allowed here');
    resource.revision += 1;
    return method === 'PATCH' ? { status: 204 } : this.shown(show());
  }

  // ---- what a request may say ----

  private createUser(body: Record<string, unknown>): Answer {
    const { attributes, password } = this.readUser(body);
    const { userName } = attributes;
    const taken = [...this.users.values()].some(
      (user) => user.attributes.userName.toLowerCase() === userName.toLowerCase(),
    );
    if (taken) throw new ScimRefusal(409, 'userName is taken', 'uniqueness');
    const user = this.addUser(attributes);
    user.password = password;
    return { ...this.shown(this.userResource(user)), status: 201 };
  }

  private replaceUser(user: StrictUser, body: Record<string, unknown>): void {
    const { id, ...rest } = body;
    if (id !== undefined && id !== user.id) throw new ScimRefusal(400, 'id is readOnly', 'mutability');
    const { attributes, password } = this.readUser(rest);
    this.change(user, attributes.active, password);
    user.attributes = attributes;
  }

  private readUser(body: Record<string, unknown>) {
    requireSchema(body, `${CORE}User`);
    const { schemas: _, password = null, ...attributes } = body;
    for (const [name, value] of Object.entries(attributes)) {
      const isRight = USER_ATTRIBUTES[name];
      if (READ_ONLY.includes(name)) throw new ScimRefusal(400, `${name} is readOnly`, 'mutability');
      if (!isRight) throw new ScimRefusal(400, `There is no attribute ${name}`, 'invalidSyntax');
      if (!isRight(value)) throw new ScimRefusal(400, `${name} has a wrong value`, 'invalidValue');
    }
    if (password !== null && !isText(password)) throw new ScimRefusal(400, 'password is a string', 'invalidValue');
    const { userName, active = true } = attributes;
    if (!isText(userName) || userName === '') throw new ScimRefusal(400, 'userName is required', 'invalidValue');
    return { attributes: { ...attributes, userName, active: active === true }, password };
  }

  private patchUser(user: StrictUser, { op, path, value }: Operation): void {
    if (op !== 'replace' || (path !== 'active' && path !== 'password')) {
      throw new ScimRefusal(400, 'Only active and password can be replaced', 'invalidPath');
    }
    const isRight = path === 'active' ? typeof value === 'boolean' : isText(value);
    if (!isRight) throw new ScimRefusal(400, `${path} has a wrong value`, 'invalidValue');
    if (path === 'active') this.change(user, value === true, null);
    else this.change(user, user.attributes.active, String(value));
  }

  private patchGroup(group: StrictGroup, { op, path, value }: Operation): void {
    const [, removed] = /^members\[value eq "([^"]+)"\]$/.exec(path ?? '') ?? [];
    if (op === 'add' && path === 'members') this.members(value).forEach((id) => group.memberIds.add(id));
    else if (op === 'remove' && removed !== undefined) {
      if (!group.memberIds.delete(removed)) throw new ScimRefusal(400, 'No such member', 'noTarget');
    } else throw new ScimRefusal(400, 'Only members can be added or removed', 'invalidPath');
  }

  private replaceGroup(group: StrictGroup, body: Record<string, unknown>): void {
    requireSchema(body, `${CORE}Group`);
    const { schemas: _, id, displayName, members, ...unknown } = body;
    const [first] = Object.keys(unknown);
    if (first !== undefined) throw new ScimRefusal(400, `There is no attribute ${first}`, 'invalidSyntax');
    if (id !== group.id || displayName !== group.displayName)
      throw new ScimRefusal(400, 'Not this group', 'mutability');
    group.memberIds = new Set(this.members(members));
  }

  private members(value: unknown): string[] {
    if (!Array.isArray(value)) throw new ScimRefusal(400, 'members is a list', 'invalidValue');
    return value.map((member: unknown) => {
      const id = (member as { value?: unknown } | null)?.value;
      if (!isText(id) || !this.liveUser(id)) throw new ScimRefusal(400, 'No such user', 'invalidValue');
      return id;
    });
  }

  private list(type: 'Users' | 'Groups', query: URLSearchParams) {
    const [unknown] = [...query.keys()].filter((name) => !['filter', 'startIndex', 'count', 'cursor'].includes(name));
    if (unknown !== undefined) throw new ScimRefusal(400, `There is no parameter ${unknown}`, 'invalidValue');
    const all =
      type === 'Users'
        ? [...this.users.values()].filter((user) => !user.isDeleted).map((user) => this.userResource(user))
        : [...this.groups.values()].map((group) => this.groupResource(group));
    const filter = query.get('filter');
    const allowed = type === 'Users' ? this.options.filters : ['displayName'];
    const found = filter === null ? all : all.filter(filterOf(filter, allowed));
    const asked = Number(query.get('count') ?? MAX_PAGE);
    if (!Number.isInteger(asked) || asked < 0) throw new ScimRefusal(400, 'count is a number', 'invalidCount');
    const count = Math.min(asked, MAX_PAGE);
    const schemas = [`${MESSAGES}ListResponse`];
    if (this.options.paging === 'cursor') {
      if (query.has('startIndex')) throw new ScimRefusal(400, 'Pages go by cursor here', 'invalidValue');
      const what = `${type}?${filter}&${asked}`;
      const from = this.placeOf(query.get('cursor') ?? '', what);
      const Resources = found.slice(from, from + count);
      const isLast = from + count >= found.length;
      // RFC 9865, section 2: the total may be left out.
      return {
        schemas,
        itemsPerPage: Resources.length,
        Resources,
        ...(isLast ? {} : this.newCursor(from + count, what)),
      };
    }
    if (query.has('cursor')) throw new ScimRefusal(400, 'Pages go by index here', 'invalidValue');
    const startIndex = Math.max(1, Number(query.get('startIndex') ?? 1));
    const Resources = found.slice(startIndex - 1, startIndex - 1 + count);
    return { schemas, totalResults: found.length, startIndex, itemsPerPage: Resources.length, Resources };
  }

  private placeOf(cursor: string, query: string): number {
    if (cursor === '') return 0;
    const place = this.cursors.get(cursor);
    if (!place) throw new ScimRefusal(400, 'This cursor was never given', 'invalidCursor');
    if (place.until < Date.now()) throw new ScimRefusal(400, 'This cursor is too old', 'expiredCursor');
    if (place.query !== query) throw new ScimRefusal(400, 'This cursor is another query’s', 'invalidCursor');
    return place.from;
  }

  private newCursor(from: number, query: string) {
    const nextCursor = randomBytes(12).toString('base64url');
    this.cursors.set(nextCursor, { from, query, until: Date.now() + CURSOR_MS });
    return { nextCursor };
  }

  // ---- what it keeps and shows ----

  private change(user: StrictUser, active: boolean, password: string | null): void {
    user.attributes.active = active;
    if (password !== null) user.password = password;
    if (!active || password !== null) user.tokens.clear();
  }

  private deleteUser(user: StrictUser): Answer {
    if (this.options.softDelete) Object.assign(user, { isDeleted: true });
    else this.users.delete(user.id);
    user.tokens.clear();
    for (const group of this.groups.values()) group.memberIds.delete(user.id);
    return { status: 204 };
  }

  private liveUser(id: string): StrictUser | undefined {
    const user = this.users.get(id);
    return user?.isDeleted ? undefined : user;
  }

  private userResource(user: StrictUser): Record<string, unknown> {
    const groups = [...this.groups.values()].filter(({ memberIds }) => memberIds.has(user.id));
    // Without `display`, which RFC 7643 doesn't require.
    const meta = { resourceType: 'User', version: versionOf(user) };
    return {
      schemas: [`${CORE}User`],
      id: user.id,
      ...user.attributes,
      groups: groups.map(({ id }) => ({ value: id })),
      meta,
    };
  }

  private groupResource(group: StrictGroup): Record<string, unknown> {
    const members = [...group.memberIds].map((value) => ({ value }));
    const { id, displayName } = group;
    return {
      schemas: [`${CORE}Group`],
      id,
      displayName,
      members,
      meta: { resourceType: 'Group', version: versionOf(group) },
    };
  }

  private shown(resource: Record<string, unknown>): Answer {
    const { version } = resource['meta'] as { version: string };
    return { status: 200, body: resource, headers: { etag: version } };
  }

  private config() {
    const { patch, paging } = this.options;
    const no = { supported: false };
    const yes = { supported: true };
    return {
      schemas: [`${CORE}ServiceProviderConfig`],
      patch: { supported: patch },
      bulk: no,
      filter: { ...yes, maxResults: MAX_PAGE },
      changePassword: yes,
      sort: no,
      etag: yes,
      pagination: { cursor: paging === 'cursor', index: paging === 'index', maxPageSize: MAX_PAGE },
      authenticationSchemes: [{ type: 'oauthbearertoken', name: 'Bearer', description: 'A token' }],
    };
  }

  private signIn({ userName, password }: { userName: string; password: string }): Answer {
    const user = this.userNamed(userName);
    if (!user?.attributes.active || user.password !== password) return { status: 401 };
    const token = randomBytes(18).toString('base64url');
    user.tokens.add(token);
    return { status: 201, body: { token } };
  }
}

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Operation {
  op: unknown;
  path?: string;
  value?: unknown;
}

const READ_ONLY: readonly string[] = ['id', 'meta', 'groups'];

const isText = (value: unknown): value is string => typeof value === 'string';
const hasOnly = (names: readonly string[]) => (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name));

/** The attributes of RFC 7643, section 4.1 that this server knows, each with what it may be. */
const USER_ATTRIBUTES: Readonly<Record<string, (value: unknown) => boolean>> = {
  userName: isText,
  externalId: isText,
  displayName: isText,
  active: (value) => typeof value === 'boolean',
  name: hasOnly(['givenName', 'familyName', 'formatted']),
  emails: (value) => Array.isArray(value) && value.every(hasOnly(['value', 'type', 'primary'])),
};

function requireSchema({ schemas }: Record<string, unknown>, schema: string): void {
  if (!Array.isArray(schemas) || schemas.length !== 1 || schemas[0] !== schema) {
    throw new ScimRefusal(400, `schemas must be [${schema}]`, 'invalidSyntax');
  }
}

function operationsOf(body: Record<string, unknown>): readonly Operation[] {
  const { schemas: _, Operations, ...unknown } = body;
  if (Object.keys(unknown).length > 0 || !Array.isArray(Operations) || Operations.length === 0) {
    throw new ScimRefusal(400, 'A PATCH has Operations', 'invalidSyntax');
  }
  return Operations as Operation[];
}

/** `attribute eq "value"` and nothing else. `userName` is compared without regard to case, all others with. */
function filterOf(filter: string, allowed: readonly string[]): (resource: Record<string, unknown>) => boolean {
  const [, attribute = '', text] = /^(\w+) eq (".*")$/s.exec(filter) ?? [];
  if (text === undefined || !allowed.includes(attribute)) {
    throw new ScimRefusal(400, 'This filter is not known', 'invalidFilter');
  }
  const value = JSON.parse(text) as string;
  const fold = (one: unknown) => (attribute === 'userName' ? String(one).toLowerCase() : one);
  return (resource) => fold(resource[attribute]) === fold(value);
}

function versionOf({ revision }: { revision: number }): string {
  return `W/"${revision}"`;
}
