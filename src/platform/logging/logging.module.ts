import type { IncomingMessage, ServerResponse } from 'node:http';
import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import type { LogLevel } from '../config/config.js';
import { requestIdOf } from '../http/request-id.js';
import { errorRecord } from './error-record.js';
import { REDACTED_PATHS, withoutTokens } from './redaction.js';

/** JSON lines on the standard output: each request with its id, path, status and time; never a body, a query or a secret. */
@Module({})
export class LoggingModule {
  static of(level: LogLevel, stream?: DestinationStream): DynamicModule {
    const options = {
      level,
      genReqId: requestIdOf,
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { req: requestRecord, res: responseRecord, err: errorRecord, error: errorRecord },
      // pino-http would wrap each with its own, which keep all headers and the error's own properties.
      wrapSerializers: false,
      // An answer of 5xx is no error of its own: whoever made it has logged one, if a person must act.
      customLogLevel: () => 'info' as const,
      quietReqLogger: true,
      customAttributeKeys: { reqId: 'requestId' },
      autoLogging: { ignore: (request: IncomingMessage) => request.url?.startsWith('/health/') ?? false },
    };
    return {
      module: LoggingModule,
      imports: [LoggerModule.forRoot({ pinoHttp: stream ? [options, stream] : options })],
    };
  }
}

function requestRecord(request: IncomingMessage): Record<string, unknown> {
  // The query is left out: a filter may name a person.
  return {
    id: requestIdOf(request),
    method: request.method,
    path: withoutTokens((request.url ?? '').split('?')[0] ?? ''),
  };
}

function responseRecord(response: ServerResponse): Record<string, unknown> {
  return { status: response.statusCode };
}
