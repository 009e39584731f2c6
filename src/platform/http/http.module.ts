import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { FailedSignIns } from '../rate-limits/failed-sign-ins.service.js';
import { RateLimitGuard } from '../rate-limits/rate-limit.guard.js';
import { RateLimitInterceptor } from '../rate-limits/rate-limit.interceptor.js';
import { RateLimits } from '../rate-limits/rate-limits.service.js';
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
    RateLimits,
    FailedSignIns,
    { provide: APP_FILTER, useClass: ProblemFilter },
    // This module stands before the one that signs in, so its guard does as well.
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_INTERCEPTOR, useClass: RateLimitInterceptor },
    { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
  exports: [IdempotencyKeys, FailedSignIns],
})
export class HttpModule {}
