import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { catchError, from, mergeMap, of, throwError, type Observable } from 'rxjs';
import { InstallationKey } from '../crypto/installation-key.js';
import { Problem } from '../errors/problem.js';
import { IDEMPOTENCY, type Idempotency } from './idempotent.js';
import { IdempotencyKeys, type KeyedRequest, type StoredAnswer } from './idempotency-keys.service.js';

/** The headers that belong to an answer and come again with its replay. */
const KEPT_HEADERS = ['etag', 'location'];

/** Answers a POST under /v1 that came before, with the same Idempotency-Key, by what it was answered then. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: IdempotencyKeys,
    private readonly installation: InstallationKey,
    private readonly log: PinoLogger,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler<unknown>): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request & { rawBody?: Buffer }>();
    if (request.method !== 'POST' || !request.path.startsWith('/v1/') || !request.actor) return next.handle();
    const idempotency = this.reflector.get<Idempotency | undefined>(IDEMPOTENCY, context.getHandler()) ?? 'optional';
    const key = keyIn(request, idempotency);
    if (key === null) return next.handle();

    const keyed: KeyedRequest = {
      actorId: request.actor.id,
      key,
      route: `POST ${request.originalUrl}`,
      // A plain hash of a body with a password in it could be guessed from a copy of the database.
      bodyDigest: this.installation.mac('idempotency-key', request.rawBody ?? Buffer.alloc(0)),
    };
    const response = http.getResponse<Response>();
    const claim = await this.keys.claim(keyed);
    if (claim.kind === 'answered') return of(replay(response, claim.answer));
    return next.handle().pipe(
      catchError((error: unknown) =>
        from(this.release(keyed, claim.lock)).pipe(mergeMap(() => throwError(() => error))),
      ),
      mergeMap((body) => this.keep(keyed, claim.lock, response, body)),
    );
  }

  /** What was done is done: an answer that can't be kept is given all the same. */
  private async keep(keyed: KeyedRequest, lock: string, response: Response, body: unknown): Promise<unknown> {
    const headers = KEPT_HEADERS.flatMap((name) => {
      const value = response.getHeader(name);
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    await this.keys
      .keep(keyed, lock, { status: response.statusCode, headers: Object.fromEntries(headers), body: body ?? null })
      .catch((err: unknown) => this.log.warn({ err }, 'the answer to an Idempotency-Key was not kept'));
    return body;
  }

  private async release(keyed: KeyedRequest, lock: string): Promise<void> {
    await this.keys
      .release(keyed, lock)
      .catch((err: unknown) => this.log.warn({ err }, 'an Idempotency-Key stays locked until its time is over'));
  }
}

/** Null when the request goes without one. */
function keyIn(request: Request, idempotency: Idempotency): string | null {
  const key = request.get('idempotency-key');
  if (key === undefined) {
    if (idempotency !== 'required') return null;
    throw invalidKey('This request needs an Idempotency-Key, so that a retry does it once.');
  }
  if (idempotency === 'never-stored') {
    throw invalidKey(
      'This answer shows a secret and is kept nowhere, so it can not be replayed. Leave the Idempotency-Key out.',
    );
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidKey('An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID.');
  }
  return key;
}

function invalidKey(detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer: '/header/idempotency-key', detail }]);
}

function replay(response: Response, { status, headers, body }: StoredAnswer): unknown {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Idempotency-Replayed', 'true');
  return body ?? undefined;
}
