import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { whoSigned, type Credentials } from './signature-v4.js';

const Request = z.object({
  KeyId: z.string().optional(),
  Plaintext: z.base64().optional(),
  CiphertextBlob: z.base64().optional(),
  EncryptionContext: z.record(z.string(), z.string()).default({}),
});
type Request = z.infer<typeof Request>;
type Operation = 'Encrypt' | 'Decrypt';

interface Key {
  arn: string;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  /** Oldest first: the last encrypts, all decrypt. */
  material: Buffer[];
}

/** Which key, and which of its material: four bytes each of length and version stand before the sealed bytes. */
const HEADER_BYTES = 8;

class KmsError extends Error {
  constructor(
    override readonly name: string,
    readonly status = 400,
  ) {
    super(name);
  }
}

/** AWS KMS: see README.md for what is real and where it is kinder. */
export class KmsEmulator {
  readonly region = 'eu-central-1';
  readonly keys = new Map<string, Key>();
  readonly calls: { operation: string; error?: string; context?: Record<string, string> }[] = [];
  /** What the next requests are answered with instead, one each. */
  readonly failures: KmsError[] = [];
  private readonly credentials = new Map<string, Credentials>();
  private readonly rights = new Map<string, Set<string>>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<KmsEmulator> {
    const server = createServer();
    const emulator = new KmsEmulator(server);
    server.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void emulator.answer(request, response),
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return emulator;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  makeKey(): Key {
    const arn = `arn:aws:kms:${this.region}:111122223333:key/${randomUUID()}`;
    const key: Key = { arn, state: 'Enabled', material: [randomBytes(32)] };
    this.keys.set(arn, key);
    return key;
  }

  makeUser(credentials: Partial<Credentials> = {}): { accessKeyId: string } & Credentials {
    const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const made = { secretAccessKey: randomBytes(30).toString('base64'), ...credentials };
    this.credentials.set(accessKeyId, made);
    this.rights.set(accessKeyId, new Set());
    return { accessKeyId, ...made };
  }

  allow(accessKeyId: string, operation: Operation, arn: string): void {
    this.rights.get(accessKeyId)?.add(`${operation} ${arn}`);
  }

  forbid(accessKeyId: string, operation: Operation, arn: string): void {
    this.rights.get(accessKeyId)?.delete(`${operation} ${arn}`);
  }

  failNext(name: string, status: number): void {
    this.failures.push(new KmsError(name, status));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers['x-amz-target'] ?? '').replace(/^TrentService\./, '');
    const answer = (status: number, content: unknown) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(content));
    try {
      const failure = this.failures.shift();
      if (failure) throw failure;
      const { region, credentials } = this;
      const signed = whoSigned(request, body, { region, service: 'kms', credentials });
      if ('error' in signed) throw new KmsError(signed.error);
      const asked = Request.safeParse(JSON.parse(body.toString('utf8')));
      if (!asked.success) throw new KmsError('ValidationException');
      const may = this.rights.get(signed.accessKey) ?? new Set();
      if (operation === 'Encrypt') answer(200, this.encrypt(asked.data, may));
      else if (operation === 'Decrypt') answer(200, this.decrypt(asked.data, may));
      else throw new KmsError('UnknownOperationException');
      this.calls.push({ operation, context: asked.data.EncryptionContext });
    } catch (error) {
      if (!(error instanceof KmsError)) throw error;
      this.calls.push({ operation, error: error.name });
      answer(error.status, { __type: error.name, message: `The emulator says ${error.name}` });
    }
  }

  private encrypt({ KeyId = '', Plaintext = '', EncryptionContext }: Request, may: ReadonlySet<string>): unknown {
    const key = this.usable(KeyId, 'Encrypt', may);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.material.at(-1) ?? '', nonce);
    cipher.setAAD(additionalData(key, EncryptionContext));
    const arn = Buffer.from(key.arn);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(arn.length, 0);
    header.writeUInt32BE(key.material.length, 4);
    const sealed = Buffer.concat([cipher.update(Buffer.from(Plaintext, 'base64')), cipher.final()]);
    const blob = Buffer.concat([header, arn, nonce, cipher.getAuthTag(), sealed]);
    return { CiphertextBlob: blob.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  }

  private decrypt({ KeyId, CiphertextBlob = '', EncryptionContext }: Request, may: ReadonlySet<string>): unknown {
    const blob = Buffer.from(CiphertextBlob, 'base64');
    if (blob.length < HEADER_BYTES) throw new KmsError('InvalidCiphertextException');
    const arnEnds = HEADER_BYTES + blob.readUInt32BE(0);
    const arn = blob.subarray(HEADER_BYTES, arnEnds).toString();
    if (!this.keys.has(arn)) throw new KmsError('InvalidCiphertextException');
    if (KeyId !== undefined && KeyId !== arn) throw new KmsError('IncorrectKeyException');
    const key = this.usable(arn, 'Decrypt', may);
    const material = key.material[blob.readUInt32BE(4) - 1];
    const box = blob.subarray(arnEnds);
    if (!material || box.length < 28) throw new KmsError('InvalidCiphertextException');
    const decipher = createDecipheriv('aes-256-gcm', material, box.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(additionalData(key, EncryptionContext)).setAuthTag(box.subarray(12, 28));
    try {
      const plaintext = Buffer.concat([decipher.update(box.subarray(28)), decipher.final()]);
      return { Plaintext: plaintext.toString('base64'), KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    } catch {
      throw new KmsError('InvalidCiphertextException');
    }
  }

  private usable(arn: string, operation: Operation, may: ReadonlySet<string>): Key {
    if (!may.has(`${operation} ${arn}`)) throw new KmsError('AccessDeniedException');
    const key = this.keys.get(arn);
    if (!key) throw new KmsError('NotFoundException');
    if (key.state === 'Disabled') throw new KmsError('DisabledException');
    if (key.state === 'PendingDeletion') throw new KmsError('KMSInvalidStateException');
    return key;
  }
}

function additionalData({ arn }: Key, context: Record<string, string>): Buffer {
  return Buffer.from(JSON.stringify([arn, Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))]));
}
