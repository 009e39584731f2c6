import { Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../config/config.js';

/** Where a credential is shown, each counted apart: a script with an old token must not keep people from signing in. */
export type Door = 'sign-in' | 'link' | 'webhook' | 'agent' | 'lost';

const MINUTE = 60;

/**
 * Counts in this process's memory and nowhere else: a dead Redis changes nothing, and PostgreSQL has no write for it.
 * So each API server counts for itself.
 */
@Injectable()
export class RateLimits {
  private readonly failures: RateLimiterMemory | null;
  private readonly requests: RateLimiterMemory | null;

  constructor({ rateLimits }: Config) {
    this.failures = limiter(rateLimits.failures);
    this.requests = limiter(rateLimits.requests);
  }

  /** Seconds for which this address has failed too often at this door; 0: it hasn't. */
  async failedTooOften(door: Door, address: string): Promise<number> {
    const counted = (await this.failures?.get(`${door} ${address}`)) ?? null;
    return counted && this.failures && counted.consumedPoints > this.failures.points ? secondsOf(counted) : 0;
  }

  /** @returns seconds to wait once there were too many, and whether this was the one too many */
  async noteFailure(door: Door, address: string): Promise<{ wait: number; isFirst: boolean }> {
    const counted = await this.failures?.penalty(`${door} ${address}`);
    if (!counted || !this.failures || counted.consumedPoints <= this.failures.points)
      return { wait: 0, isFirst: false };
    return { wait: secondsOf(counted), isFirst: counted.consumedPoints === this.failures.points + 1 };
  }

  /** @returns seconds to wait; 0: there were not too many requests of this caller. */
  async noteRequest(actorId: string): Promise<number> {
    const counted = await this.requests?.penalty(actorId);
    return counted && this.requests && counted.consumedPoints > this.requests.points ? secondsOf(counted) : 0;
  }
}

/** @param points a minute; 0: no limit */
function limiter(points: number): RateLimiterMemory | null {
  return points > 0 ? new RateLimiterMemory({ points, duration: MINUTE }) : null;
}

function secondsOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}
