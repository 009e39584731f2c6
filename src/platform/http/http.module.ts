import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { IdempotencyHousekeeping } from './idempotency-housekeeping.service.js';
import { IdempotencyKeys } from './idempotency-keys.service.js';
import { ProblemFilter } from './problem.filter.js';
import { ValidationPipe } from './validation.pipe.js';

/** What every request goes through, whichever feature answers it. */
@Module({
  providers: [
    IdempotencyKeys,
    IdempotencyHousekeeping,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
  exports: [IdempotencyKeys],
})
export class HttpModule {}
