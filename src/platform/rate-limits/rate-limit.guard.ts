import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { PUBLIC_ROUTE } from '../sign-in/who-may-call.js';
import { FailedSignIns } from './failed-sign-ins.service.js';
import { NEVER_LIMITED } from './never-limited.js';

/** A one-time link: the token is the credential. */
const LINK = /^\/(sign-in|credential-links|acknowledgement-links|task-links)\/[^/]{20,}\/?$/i;

/** Stands before the guard that looks credentials up. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly failedSignIns: FailedSignIns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const handler = context.getHandler();
    if (this.reflector.get<true | undefined>(NEVER_LIMITED, handler)) return true;
    if (this.reflector.get<true | undefined>(PUBLIC_ROUTE, handler)) {
      if (LINK.test(request.path)) await this.admitLink(request, http.getResponse<Response>());
      return true;
    }
    await this.failedSignIns.admit('sign-in', request);
    return true;
  }

  private async admitLink(request: Request, response: Response): Promise<void> {
    await this.failedSignIns.admit('link', request);
    // Its page says by 410 that there is no such link, or not any more.
    response.once('finish', () => {
      if (response.statusCode === 410) void this.failedSignIns.note('link', request);
    });
  }
}
