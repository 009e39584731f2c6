import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseVariables, type Environment } from '../platform/config/config.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure } from './command.js';

/** The service refuses; the message is its own word to people. */
export class ApiRefusal extends CommandFailure {
  /** @param kind of the problem, as in `conflict`; empty for an answer that isn't one of ours */
  constructor(
    message: string,
    readonly kind: string,
  ) {
    super(message);
  }
}

/** Nobody answers, or not to the end. */
export class ApiAway extends CommandFailure {
  constructor(message: string) {
    super(message, EXIT.unavailable);
  }
}

export interface ApiRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
}

/** For commands away from the server, at an imaging bench: they have a token and no database. */
export interface ApiClient {
  /** @throws ApiRefusal for any answer but 2xx, ApiAway */
  send(path: string, request: ApiRequest): Promise<Response>;
  /** @throws ApiRefusal, ApiAway, and zod's error for an answer of another shape */
  ask<T extends z.ZodType>(shape: T, method: ApiRequest['method'], path: string, body?: object): Promise<z.infer<T>>;
}

const VARIABLES = z.object({
  QUARTERMASTER_URL: z
    .string({ error: 'is missing: set it to the address of the service, as in https://quartermaster.example.com' })
    .refine(isSafe, {
      error: "isn't an address that a token may be sent to: write https://…, or http:// on this machine",
    })
    .transform((url) => url.replace(/\/+$/, '')),
  QUARTERMASTER_TOKEN_FILE: z.string({
    error: 'is missing: set it to a file with an API token in it; `quartermaster token create` makes one',
  }),
});

/** @throws ConfigError, CommandFailure */
export async function apiClient(env: Environment): Promise<ApiClient> {
  const { QUARTERMASTER_URL: base, QUARTERMASTER_TOKEN_FILE: file } = parseVariables(VARIABLES, env);
  const token = await readFile(file, 'utf8').catch(() => {
    throw new CommandFailure(`The token can't be read from ${file}.`, EXIT.usage);
  });
  const authorization = `Bearer ${token.trim()}`;
  const send = async (path: string, { method, headers, body }: ApiRequest): Promise<Response> => {
    const answer = await fetch(base + path, {
      method,
      redirect: 'error',
      headers: { ...headers, authorization },
      ...(body !== undefined && { body }),
    }).catch((error: unknown) => {
      throw away(base, error);
    });
    if (!answer.ok) throw await refusalIn(answer);
    return answer;
  };
  return {
    send,
    async ask(shape, method, path, body) {
      const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const answer = await send(path, { method, ...json });
      const text = await answer.text().catch((error: unknown) => {
        throw away(base, error);
      });
      return shape.parse(JSON.parse(text));
    },
  };
}

/** @param error of `fetch`, or of reading its answer */
export function away(where: string, error: unknown): ApiAway {
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return new ApiAway(`Nothing answers at ${where} (${String(code ?? message)}). Try again later.`);
}

async function refusalIn(answer: Response): Promise<ApiRefusal> {
  const text = await answer.text().catch(() => '');
  const { data } = z.object({ type: z.string(), detail: z.string() }).safeParse(jsonIn(text));
  const kind = data?.type.replace('/problems/', '') ?? '';
  return new ApiRefusal(data?.detail ?? `The service answers ${answer.status}.`, kind);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A token never crosses a network in the clear. */
function isSafe(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.username !== '' || url.search !== '' || url.hash !== '') return false;
  return (
    url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|\[::1\]|127(\.\d+){3})$/.test(url.hostname))
  );
}
