import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { databaseProblem } from '../database/database-problem.js';
import { Problem, PROBLEMS } from '../errors/problem.js';
import { FailedSignIns } from '../rate-limits/failed-sign-ins.service.js';
import { TooManyRequests } from '../rate-limits/too-many-requests.js';
import { requestIdOf } from './request-id.js';

/** The one place where an error becomes an answer: `application/problem+json` (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: PinoLogger,
    private readonly failedSignIns: FailedSignIns,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = await this.failedSignIns.failed(problemFor(error), request);
    const requestId = requestIdOf(request);
    // Only what nobody foresaw is an error; a database that is away is for the monitoring to see.
    if (problem.kind === 'internal') this.log.error({ err: error, requestId }, 'a request failed');
    else if (problem.kind === 'unavailable') this.log.warn({ err: error, requestId }, 'the database is away');
    else if (problem.kind === 'keys-away') this.log.warn({ err: error, requestId }, 'the key that seals is away');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, title } = PROBLEMS[problem.kind];
    if (problem.kind === 'unauthenticated') response.set('WWW-Authenticate', 'Bearer');
    if (['unavailable', 'provider-away', 'keys-away', 'store-failed'].includes(problem.kind)) {
      response.set('Retry-After', '5');
    }
    if (problem instanceof TooManyRequests) response.set('Retry-After', String(problem.retryAfter));
    if (problem.kind === 'request-in-flight') response.set('Retry-After', '1');
    response.removeHeader('ETag');
    response.set('Cache-Control', 'no-store');
    response
      .status(status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: `/problems/${problem.kind}`,
          title,
          status,
          detail: problem.message,
          instance: requestId,
          ...problem.members,
          ...(problem.fields.length > 0 ? { errors: problem.fields } : {}),
        }),
      );
  }
}

function problemFor(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return (
    databaseProblem(error) ?? httpProblem(error) ?? new Problem('internal', 'It was logged under the id in `instance`.')
  );
}

/** What Nest throws by itself; its messages may quote the request, so they aren't passed on. */
function httpProblem(error: unknown): Problem | null {
  if (!(error instanceof HttpException)) return null;
  const status = error.getStatus();
  if (status === 404)
    return new Problem('not-found', 'There is nothing at this address. The API is described at /docs.');
  if (status === 413) return new Problem('too-large', 'What was sent is larger than is taken here.');
  return status >= 400 && status < 500 ? new Problem('invalid-request', 'The request can not be read.') : null;
}
