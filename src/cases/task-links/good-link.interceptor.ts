import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { of, type Observable } from 'rxjs';
import { answerPage } from '../../platform/http/one-time-page.js';
import { TaskLinks } from './task-links.service.js';

/** In front of what reads files: whoever holds no good link has none of their bytes kept, not even for a moment. */
@Injectable()
export class GoodLinkInterceptor implements NestInterceptor {
  constructor(private readonly links: TaskLinks) {}

  async intercept(context: ExecutionContext, next: CallHandler<unknown>): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const { token } = http.getRequest<Request<{ token: string }>>().params;
    try {
      await this.links.look(token);
    } catch (error) {
      await answerPage(http.getResponse<Response>(), () => Promise.reject(error));
      return of(undefined);
    }
    return next.handle();
  }
}
