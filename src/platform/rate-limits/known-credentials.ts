import { hash } from 'node:crypto';
import type { Request } from 'express';

const KEPT = 10_000;

/** Credentials that opened something before, as hashes: so that others who fail from the same address don't shut them out. */
export class KnownCredentials {
  private readonly hashes = new Set<string>();

  remember(request: Request): void {
    const digest = digestOf(request);
    if (digest === null) return;
    // The newest stands last, the oldest goes.
    this.hashes.delete(digest);
    this.hashes.add(digest);
    if (this.hashes.size <= KEPT) return;
    for (const oldest of this.hashes) {
      this.hashes.delete(oldest);
      return;
    }
  }

  forget(request: Request): void {
    const digest = digestOf(request);
    if (digest !== null) this.hashes.delete(digest);
  }

  has(request: Request): boolean {
    const digest = digestOf(request);
    return digest !== null && this.hashes.has(digest);
  }
}

function digestOf(request: Request): string | null {
  const shown = request.get('authorization') ?? request.get('cookie');
  return shown === undefined ? null : hash('sha256', shown, 'base64');
}
