import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { FailedSignIns } from './failed-sign-ins.service.js';
import { NEVER_LIMITED } from './never-limited.js';
import { RateLimits } from './rate-limits.service.js';
import { TooManyRequests } from './too-many-requests.js';

/** Behind the guards, where it is known who calls. */
@Injectable()
export class RateLimitInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly limits: RateLimits,
    private readonly failedSignIns: FailedSignIns,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler<unknown>): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    if (!request.actor) return next.handle();
    this.failedSignIns.succeeded(request);
    if (this.reflector.get<true | undefined>(NEVER_LIMITED, context.getHandler())) return next.handle();
    const wait = await this.limits.noteRequest(request.actor.id);
    if (wait > 0) throw new TooManyRequests('This token or session made too many requests within a minute.', wait);
    return next.handle();
  }
}
