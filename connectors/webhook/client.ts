import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { CallContext } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { HttpClient, type HttpAnswer } from '../kit/http-client.js';
import { answerShape, PROTOCOL_VERSION, type RequestType } from './protocol.js';
import { SigningSecrets } from './signing-secrets.js';

export interface WebhookClientOptions {
  url: string;
  secret: string;
  certificateAuthority?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
}

/** Requests that only ask: a lost answer is `transient`, not `ambiguous`. */
const LOOKS: readonly RequestType[] = ['check', 'accounts.list', 'accounts.find', 'account.get'];

/**
 * Signed requests out, signed answers back (Standard Webhooks, both ways). It decides nothing. Throws `ToolError`.
 *
 * An answer is signed under the id of the request and `:answer`, so that neither an old answer nor the request itself,
 * sent back, passes for one.
 */
export class WebhookClient {
  private readonly http: HttpClient;
  private readonly path: string;
  private readonly secrets: SigningSecrets;

  constructor(private readonly options: WebhookClientOptions) {
    this.secrets = new SigningSecrets(options.secret);
    const { origin, pathname } = new URL(options.url);
    this.path = pathname;
    this.http = new HttpClient({
      baseUrl: origin,
      allowPrivateAddresses: options.allowPrivateAddresses,
      call: options.call,
      ca: options.certificateAuthority,
    });
  }

  /** Sends one request and answers what the tool said, parsed by `shape`. */
  async ask<T>(type: RequestType, fields: Record<string, unknown>, shape: z.ZodType<T>): Promise<T> {
    const id = `req_${randomUUID()}`;
    const answer = await this.send(id, type, fields);
    this.verify(id, type, answer);
    const said = answerShape.safeParse(answer.body);
    if (!said.success) throw notTheProtocol(type, pathOf(said.error));
    if ('error' in said.data) throw this.errorOf(said.data.error, fields);
    const parsed = shape.safeParse(said.data.answer);
    if (!parsed.success) throw notTheProtocol(type, ['answer', ...pathOf(parsed.error)]);
    return parsed.data;
  }

  close(): void {
    this.http.close();
  }

  private async send(id: string, type: RequestType, fields: Record<string, unknown>): Promise<HttpAnswer> {
    try {
      return await this.http.request({
        method: 'POST',
        path: this.path,
        body: { version: PROTOCOL_VERSION, type, attempt: this.options.call.attemptId, ...fields },
        changesNothing: LOOKS.includes(type),
        sign: (payload) => {
          const now = new Date();
          return {
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
            'webhook-signature': this.secrets.sign(id, now, payload),
          };
        },
      });
    } catch (error) {
      throw error instanceof ToolError && UNSIGNED_NEWS.includes(error.kind) ? unsigned(error) : error;
    }
  }

  private verify(id: string, type: RequestType, { headers, text }: HttpAnswer): void {
    const signature = headers['webhook-signature'];
    const timestamp = headers['webhook-timestamp'];
    try {
      this.secrets.verify(text, {
        'webhook-id': `${id}:answer`,
        'webhook-timestamp': typeof timestamp === 'string' ? timestamp : '',
        'webhook-signature': typeof signature === 'string' ? signature : '',
      });
    } catch {
      const { host } = new URL(this.options.url);
      const message = `What ${host} answered isn’t signed with this tool’s secret, or more than five minutes off.`;
      const remedy = 'Compare the secret and the clocks of both sides; see who answers at this URL.';
      // Whoever answers may also be who carried it out.
      throw new ToolError(LOOKS.includes(type) ? 'auth-broken' : 'ambiguous', message, { remedy });
    }
  }

  private errorOf(
    { kind, message, ...details }: z.infer<(typeof answerShape.options)[1]>['error'],
    { password }: Record<string, unknown>,
  ): ToolError {
    const told = [message, details.remedy, details.permission].join('\n');
    const secrets = [...this.secrets.texts, password].filter((one) => typeof one === 'string');
    if (secrets.some((secret) => told.includes(secret))) {
      return new ToolError(kind, 'The tool refused, in words that held a secret and aren’t shown.', {
        resetAt: details.resetAt,
      });
    }
    return new ToolError(kind, `The tool says: ${sentence(message)}`, details);
  }
}

/** Kinds that an answer without our signature may not claim: anything that the engine would believe about an account. */
const UNSIGNED_NEWS: readonly string[] = ['not-found', 'conflict', 'unsupported', 'forbidden'];

function unsigned(error: ToolError): ToolError {
  // A private address that was refused never left this machine.
  if (error.permission === 'allowPrivateAddresses') return error;
  return new ToolError('invalid', error.message, {
    remedy: 'The tool has to answer every request with 200 and a signature; see who answers at this URL.',
  });
}

function notTheProtocol(type: RequestType, path: readonly string[]): ToolError {
  const where = path.length > 0 ? `: ${path.join('.')}` : '';
  const message = `The tool answered ${type} with something that isn’t the protocol’s${where}.`;
  const remedy = 'Correct the tool; connectors/webhook/README.md describes each answer.';
  return LOOKS.includes(type)
    ? new ToolError('invalid', message, { remedy })
    : new ToolError('ambiguous', message, { remedy });
}

/** Where the first mistake is. Names and places only, never a value. */
function pathOf({ issues: [first] }: z.ZodError): string[] {
  const unknown = first?.code === 'unrecognized_keys' ? first.keys.slice(0, 1) : [];
  return [...(first?.path.map(String) ?? []), ...unknown];
}

function sentence(text: string): string {
  return /[.!?:)]$/.test(text) ? text : `${text}.`;
}
