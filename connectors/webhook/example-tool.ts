import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

/**
 * A whole tool in one file, to copy from: it keeps accounts in memory, lets people sign in, and implements the
 * protocol of README.md. The connector's own tests run against it. It leaves out what yours has already: a database,
 * TLS, and limits of requests.
 */
export async function startExampleTool({ secret, groups, port = 0 }: ExampleToolOptions): Promise<ExampleTool> {
  const accounts = new Accounts(groups);
  const door = new Door(new Webhook(secret), accounts);
  const server = createServer((request, response) => {
    const answer =
      request.url === '/quartermaster' ? door.answer(request, response) : signInOrShow(accounts, request, response);
    answer.catch((error: unknown) => {
      // A mistake of ours: it may have happened after the change, so nothing is said about the change.
      console.error(error);
      response.writeHead(500).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, accounts, close };
}

export interface ExampleToolOptions {
  secret: string;
  groups: readonly string[];
  port?: number;
}

export interface ExampleTool {
  url: string;
  accounts: Accounts;
  close(): Promise<void>;
}

export interface Account {
  id: string;
  username: string;
  mark: string | null;
  email: string | null;
  active: boolean;
  salt: Buffer;
  passwordHash: Buffer;
  /** Counts changes of the password. */
  passwordVersion: number;
  groups: Set<string>;
  /** Each token lets its holder in; with the device it was given to. */
  tokens: Map<string, string>;
}

/** The account that Quartermaster's changes are written down under; it may never be changed from outside. */
export const INTEGRATION = { id: 'integration', username: 'quartermaster-integration' };

// ---- the door: signatures, and nothing of the tool's own ----

class Door {
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly webhook: Webhook,
    private readonly accounts: Accounts,
  ) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const id = String(request.headers['webhook-id'] ?? '');
    try {
      this.webhook.verify(text, request.headers as Record<string, string>);
      this.refuseRepeated(id);
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
      // Without a signature: whoever asked doesn't know the secret.
      response.writeHead(401).end();
      return;
    }
    const body = JSON.stringify({ version: 1, ...this.carryOut(JSON.parse(text) as Message) });
    const now = new Date();
    response.writeHead(200, {
      'content-type': 'application/json',
      'webhook-id': `${id}:answer`,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': this.webhook.sign(`${id}:answer`, now, body),
    });
    response.end(body);
  }

  private carryOut(message: Message): { answer: unknown } | { error: unknown } {
    try {
      return { answer: handle(this.accounts, message) };
    } catch (error) {
      if (error instanceof Refused) return { error: { kind: error.kind, message: error.message } };
      throw error;
    }
  }

  /** A signature is good for five minutes; within them each id is taken once. */
  private refuseRepeated(id: string): void {
    const now = Date.now();
    for (const [old, at] of this.seen) if (now - at > 600_000) this.seen.delete(old);
    if (this.seen.has(id)) throw new WebhookVerificationError('This id came before.');
    this.seen.set(id, now);
  }
}

// ---- what each request means here ----

interface Message {
  type: string;
  account: { id: string; username: string };
  mark: string;
  username: string;
  email: string;
  password: string;
  device: string;
  holder: { email: string };
  grant: { kind: string; name: string };
  next: string | null;
  limit: number;
}

class Refused extends Error {
  constructor(
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

const LOOKS = ['check', 'accounts.list', 'accounts.find', 'account.get'];
const ACTS = [
  'account.create',
  'account.suspend',
  'account.restore',
  'account.remove',
  'account.reset-credentials',
  'account.revoke-access',
  'account.revoke-device',
  'grant.give',
  'grant.withdraw',
];

function handle(accounts: Accounts, message: Message): unknown {
  const all = [...accounts.byId.values()];
  switch (message.type) {
    case 'check':
      return { principal: INTEGRATION, version: '1.0', implements: [...LOOKS, ...ACTS] };
    case 'accounts.list': {
      const rest = all.filter(({ id }) => id > (message.next ?? '')).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const page = rest.slice(0, message.limit);
      const isLast = page.length === rest.length;
      return { accounts: page.map(shown), next: isLast ? null : page.at(-1)?.id, complete: isLast };
    }
    case 'accounts.find': {
      const { mark, username, email } = message;
      const found = all.filter((one) => one.mark === mark || one.username === username || one.email === email);
      return { accounts: found.map(shown) };
    }
    case 'account.get': {
      const account = accounts.byId.get(message.account.id);
      return { account: account ? shown(account) : null };
    }
    case 'account.create': {
      const { mark, username, password, holder } = message;
      const marked = all.filter((one) => one.mark === mark);
      if (marked[0]) return { outcome: 'already', account: shown(marked[0]) };
      if (all.some((one) => one.username === username)) throw new Refused('conflict', 'This user name is taken.');
      return { outcome: 'done', account: shown(accounts.add({ username, mark, email: holder.email, password })) };
    }
    case 'account.remove':
      return outcome(accounts.byId.delete(message.account.id));
    case 'grant.withdraw': {
      const account = accounts.byId.get(message.account.id);
      return outcome(account?.groups.delete(message.grant.name) ?? false);
    }
    default:
      return change(accounts, accounts.get(message.account.id), message);
  }
}

function change(accounts: Accounts, account: Account, { type, password, device, grant }: Message): unknown {
  switch (type) {
    case 'account.suspend': {
      const changed = account.active || account.tokens.size > 0;
      account.active = false;
      account.tokens.clear();
      return outcome(changed);
    }
    case 'account.restore': {
      const changed = !account.active;
      account.active = true;
      return outcome(changed);
    }
    case 'account.reset-credentials':
      accounts.setPassword(account, password);
      return { outcome: 'done', credentialVersion: String(account.passwordVersion) };
    case 'account.revoke-access': {
      const ended = account.tokens.size;
      account.tokens.clear();
      return { ...outcome(ended > 0), sideEffects: ended > 0 ? [`${ended} sessions ended`] : [] };
    }
    case 'account.revoke-device': {
      const tokens = [...account.tokens].filter(([, heldBy]) => heldBy === device).map(([token]) => token);
      for (const token of tokens) account.tokens.delete(token);
      return outcome(tokens.length > 0);
    }
    case 'grant.give': {
      if (grant.kind !== 'group') throw new Refused('unsupported', 'There are only groups here.');
      if (!accounts.groups.includes(grant.name)) throw new Refused('invalid', `There is no group ${grant.name}.`);
      const changed = !account.groups.has(grant.name);
      account.groups.add(grant.name);
      return outcome(changed);
    }
    default:
      throw new Refused('unsupported', `This tool doesn't implement ${type}.`);
  }
}

/** A request asks for a state, so sending it twice does no harm: the second time it is there already. */
function outcome(changed: boolean) {
  return { outcome: changed ? 'done' : 'already' };
}

function shown({ id, username, mark, email, active, tokens, passwordVersion, groups }: Account) {
  return {
    id,
    username,
    mark,
    email,
    state: active ? 'active' : 'suspended',
    sessions: { seen: true, live: tokens.size },
    credentials: { seen: true, live: 0 },
    credentialVersion: String(passwordVersion),
    grants: [...groups].map((name) => ({ kind: 'group', name })),
  };
}

// ---- the tool itself: you have this already ----

export class Accounts {
  readonly byId = new Map<string, Account>();

  constructor(readonly groups: readonly string[]) {}

  get(id: string): Account {
    const account = this.byId.get(id);
    if (!account) throw new Refused('not-found', 'There is no such account.');
    return account;
  }

  add(given: { username: string; mark: string | null; email: string | null; password: string; id?: string }): Account {
    const account: Account = {
      id: given.id ?? randomUUID(),
      username: given.username,
      mark: given.mark,
      email: given.email,
      active: true,
      salt: randomBytes(16),
      passwordHash: Buffer.alloc(0),
      passwordVersion: 0,
      groups: new Set(),
      tokens: new Map(),
    };
    this.setPassword(account, given.password);
    this.byId.set(account.id, account);
    return account;
  }

  setPassword(account: Account, password: string): void {
    account.passwordHash = scryptSync(password, account.salt, 32);
    account.passwordVersion += 1;
    account.tokens.clear();
  }

  signIn({ username, password, device = '' }: { username: string; password: string; device?: string }): string | null {
    const account = [...this.byId.values()].find((one) => one.username === username);
    if (!account?.active) return null;
    if (!timingSafeEqual(scryptSync(password, account.salt, 32), account.passwordHash)) return null;
    const token = randomBytes(24).toString('base64url');
    account.tokens.set(token, device);
    return token;
  }

  holderOf(token: string): Account | undefined {
    return [...this.byId.values()].find(({ tokens }) => tokens.has(token));
  }
}

async function signInOrShow(accounts: Accounts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST' && request.url === '/session') {
    const token = accounts.signIn(JSON.parse(await bodyOf(request)) as { username: string; password: string });
    response.writeHead(token ? 201 : 401).end(JSON.stringify({ token }));
  } else {
    const holder = accounts.holderOf(request.headers.authorization?.replace('Bearer ', '') ?? '');
    response.writeHead(holder ? 200 : 401).end(JSON.stringify({ username: holder?.username }));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
