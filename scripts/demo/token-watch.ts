import { setTimeout as pause } from 'node:timers/promises';
import type { CompanyApp } from './company-app.js';

const EVERY_MS = 20;

/** Tries somebody's token at an app again and again, as a thief would. */
export class TokenWatch {
  private readonly stopping = new AbortController();
  private readonly watching: Promise<void>;
  private tries = 0;
  private accepted = 0;
  /** `performance.now()` of the first refusal after which it was never accepted again. */
  private deadSince: number | null = null;

  constructor(app: CompanyApp, token: string) {
    this.watching = this.watch(app, token);
  }

  async stop(): Promise<{ tries: number; accepted: number; deadSince: number | null }> {
    this.stopping.abort();
    await this.watching;
    const { tries, accepted, deadSince } = this;
    return { tries, accepted, deadSince };
  }

  private async watch(app: CompanyApp, token: string): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // An app that is going down with the demo refuses as well.
      const isAccepted = await app.accepts(token).catch(() => false);
      this.tries += 1;
      if (isAccepted) {
        this.accepted += 1;
        this.deadSince = null;
      } else this.deadSince ??= performance.now();
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
