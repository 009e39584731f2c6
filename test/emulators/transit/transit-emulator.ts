import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Key {
  versions: Buffer[];
  minDecryptionVersion: number;
}

interface Answer {
  status: number;
  body: unknown;
}

interface Role {
  secretId: string;
  mayCall: readonly string[];
}

const refuse = (status: number, ...errors: string[]): Answer => ({ status, body: { errors } });
const DENIED = refuse(403, 'permission denied');

/** A Transit engine: see README.md for what is real and where it is kinder. */
export class TransitEmulator {
  readonly keys = new Map<string, Key>();
  /** Every path that was called, with the status it got. */
  readonly calls: { path: string; status: number }[] = [];
  isSealed = false;
  private readonly tokens = new Map<string, readonly string[]>();
  private readonly roles = new Map<string, Role>();

  private constructor(
    private readonly server: Server,
    private readonly scheme: string,
    private readonly namespace: string | undefined,
  ) {}

  static async start({
    tls,
    namespace,
  }: { tls?: { key: Buffer; cert: Buffer }; namespace?: string } = {}): Promise<TransitEmulator> {
    const server = tls ? createTlsServer(tls) : createServer();
    const emulator = new TransitEmulator(server, tls ? 'https' : 'http', namespace);
    server.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void emulator.answer(request, response),
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return emulator;
  }

  get address(): string {
    return `${this.scheme}://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  makeKey(name: string): void {
    this.keys.set(name, { versions: [randomBytes(32)], minDecryptionVersion: 1 });
  }

  /** As `transit/keys/<name>/rotate`: a new version encrypts, the old ones decrypt. */
  rotateKey(name: string): void {
    this.keys.get(name)?.versions.push(randomBytes(32));
  }

  /** @param mayCall paths below /v1/ */
  makeToken(...mayCall: string[]): string {
    const token = `s.${randomBytes(18).toString('base64url')}`;
    this.tokens.set(token, mayCall);
    return token;
  }

  makeRole(...mayCall: string[]): { roleId: string; secretId: string } {
    const [roleId, secretId] = [randomUUID(), randomUUID()];
    this.roles.set(roleId, { secretId, mayCall });
    return { roleId, secretId };
  }

  /** What a token's end, or a revocation, does. */
  endAllTokens(): void {
    this.tokens.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await text(request)) || '{}') as Record<string, unknown>;
    const path = (request.url ?? '').replace(/^\/v1\//, '');
    const { status, body: answer } = this.decide(request, path, body);
    this.calls.push({ path, status });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private decide(request: IncomingMessage, path: string, body: Record<string, unknown>): Answer {
    const field = (name: string) => (typeof body[name] === 'string' ? body[name] : '');
    if (this.isSealed) return refuse(503, 'Vault is sealed');
    if (this.namespace !== undefined && request.headers['x-vault-namespace'] !== this.namespace) return DENIED;
    if (request.method !== 'POST' && request.method !== 'PUT') return refuse(405);
    if (path === 'auth/approle/login') return this.signIn(field('role_id'), field('secret_id'));
    const allowed = this.tokens.get(String(request.headers['x-vault-token'] ?? ''));
    if (!allowed?.includes(path)) return DENIED;
    const [, verb, name] = /^transit\/(encrypt|decrypt)\/([^/]+)$/.exec(path) ?? [];
    if (verb === undefined || name === undefined) return refuse(404);
    const key = this.keys.get(decodeURIComponent(name));
    if (!key) return refuse(400, 'encryption key not found');
    const associated = Buffer.from(field('associated_data'), 'base64');
    return verb === 'encrypt'
      ? encrypt(key, field('plaintext'), associated)
      : decrypt(key, field('ciphertext'), associated);
  }

  private signIn(roleId: string, secretId: string): Answer {
    const role = this.roles.get(roleId);
    if (role?.secretId !== secretId) return refuse(400, 'invalid role or secret ID');
    const token = this.makeToken(...role.mayCall);
    return { status: 200, body: { auth: { client_token: token, lease_duration: 1200, renewable: true } } };
  }
}

function encrypt({ versions }: Key, plaintext: string, associated: Buffer): Answer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? '', nonce).setAAD(associated);
  const sealed = Buffer.concat([
    nonce,
    cipher.update(Buffer.from(plaintext, 'base64')),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const ciphertext = `vault:v${versions.length}:${sealed.toString('base64')}`;
  return { status: 200, body: { data: { ciphertext, key_version: versions.length } } };
}

function decrypt({ versions, minDecryptionVersion }: Key, ciphertext: string, associated: Buffer): Answer {
  const [, version, base64] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
  if (version === undefined || base64 === undefined) return refuse(400, 'invalid ciphertext: no prefix');
  if (Number(version) < minDecryptionVersion) {
    return refuse(400, 'ciphertext or signature version is disallowed by policy (too old)');
  }
  const key = versions[Number(version) - 1];
  const sealed = Buffer.from(base64, 'base64');
  if (!key || sealed.length < 28) return refuse(400, 'invalid ciphertext: unable to decrypt');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(associated).setAuthTag(sealed.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } };
  } catch {
    return refuse(400, 'cipher: message authentication failed');
  }
}
