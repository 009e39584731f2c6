import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { Problem } from '../errors/problem.js';
import { withoutTokens } from '../logging/redaction.js';
import { callerAddress } from './caller-address.js';
import { KnownCredentials } from './known-credentials.js';
import { RateLimits, type Door } from './rate-limits.service.js';
import { TooManyRequests } from './too-many-requests.js';

const FAILED_TOO_OFTEN = 'Too many sign-ins failed from this address.';

/**
 * Slows down whoever tries credentials. Nobody with a right one is ever in the way of it for long, and never in an
 * emergency: webhooks, agents and report codes are refused only after their signature, key or code was found wrong, and credentials that opened something
 * before are looked at as always.
 */
@Injectable()
export class FailedSignIns {
  private readonly known = new KnownCredentials();

  constructor(
    private readonly limits: RateLimits,
    private readonly log: PinoLogger,
  ) {}

  /**
   * Before a credential is looked up.
   * @throws Problem `too-many-requests` (429)
   */
  async admit(door: Exclude<Door, 'webhook' | 'agent' | 'lost'>, request: Request): Promise<void> {
    const wait = await this.limits.failedTooOften(door, callerAddress(request));
    if (wait === 0 || (door === 'sign-in' && this.known.has(request))) return;
    throw new TooManyRequests(FAILED_TOO_OFTEN, wait);
  }

  succeeded(request: Request): void {
    this.known.remember(request);
  }

  /**
   * Never rejects: nobody waits for the filter that calls it, so it would end the process.
   * @returns what the caller is told instead of what failed
   */
  async failed(problem: Problem, request: Request): Promise<Problem> {
    const door = doorOf(problem, request);
    if (!door) return problem;
    try {
      this.known.forget(request);
      const wait = await this.note(door, request);
      return wait === 0 ? problem : new TooManyRequests(FAILED_TOO_OFTEN, wait);
    } catch {
      return problem;
    }
  }

  /** @returns seconds that this address has to wait */
  async note(door: Door, request: Request): Promise<number> {
    const address = callerAddress(request);
    const { wait, isFirst } = await this.limits.noteFailure(door, address);
    const path = withoutTokens(request.path.split('/').slice(0, 3).join('/'));
    this.log.info({ door, address, path }, 'a sign-in failed');
    if (isFirst) this.log.warn({ door, address, seconds: wait }, 'too many sign-ins failed from this address');
    return wait;
  }
}

function doorOf({ kind }: Problem, request: Request): Door | null {
  if (kind === 'invalid-signature') return 'webhook';
  // Whoever shows nothing tries nothing, and costs no look-up.
  const showsSomething = request.get('authorization') !== undefined || request.get('cookie') !== undefined;
  return kind === 'unauthenticated' && showsSomething ? 'sign-in' : null;
}
