import { Problem } from '../errors/problem.js';

export class TooManyRequests extends Problem {
  /** @param retryAfter seconds */
  constructor(
    detail: string,
    readonly retryAfter: number,
  ) {
    super('too-many-requests', `${detail} Try again in ${retryAfter} s.`);
  }
}
