import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SignInBars } from '../platform/sign-in/sign-in-bars.service.js';
import { SignInNews, type SignInEvent } from '../platform/sign-in/sign-in-news.service.js';
import { AlertsService, type NewAlert } from './alerts.service.js';
import { CasesService } from './cases.service.js';

const OWNER = 'it-admins';

/** What the engine has to do with people's sign-in to this very service. */
@Injectable()
export class SignInWatch {
  constructor(
    bars: SignInBars,
    news: SignInNews,
    private readonly cases: CasesService,
    private readonly alerts: AlertsService,
  ) {
    bars.add(async (tx, personId) => this.reasonAgainst(tx, personId));
    news.listen(async (tx, event) => this.tell(tx, event));
  }

  /** While a hold stands the person is without access, here too. */
  private async reasonAgainst(tx: EntityManager, personId: string): Promise<string | null> {
    const holds = await this.cases.standingHolds(tx, personId);
    return holds.length === 0
      ? null
      : 'Your access is suspended. Whoever looks after people’s access in your company knows why, and can give it back.';
  }

  /** What gets past the provider, or weakens how somebody shows who they are: on-call hears of each, whoever did it. */
  private async tell(tx: EntityManager, event: SignInEvent): Promise<void> {
    // It is no key of anybody any more, so what was open about it is over.
    if (event.what === 'key-removed') await this.alerts.resolve(tx, [copiedKey(event.keyId)]);
    const alert = alertOf(event);
    if (alert) await this.alerts.raise(tx, { owner: OWNER, ...alert });
  }
}

function copiedKey(keyId: string): string {
  return `security_key_copied:${keyId}`;
}

function alertOf(event: SignInEvent): Omit<NewAlert, 'owner'> | null {
  switch (event.what) {
    case 'link-made':
      return {
        dedupKey: `sign_in_link:made:${event.linkId}`,
        kind: 'sign_in_link',
        severity: 'warning',
        message: `${event.madeBy} made a link on the server's command line that signs in ${event.actorName} without the provider.`,
      };
    case 'link-used':
      return {
        dedupKey: `sign_in_link:used:${event.linkId}`,
        kind: 'sign_in_link',
        severity: 'warning',
        message: `Somebody signed in as ${event.actorName} with a link from the server's command line.`,
      };
    case 'key-registered':
      return {
        dedupKey: `security_key_added:${event.keyId}`,
        kind: 'security_key_added',
        severity: 'info',
        message: `A security key was registered for ${event.holder}. Ask ${event.holder} if nobody expected it: whoever has it can do what is dangerous in their name.`,
      };
    case 'key-copied':
      return {
        dedupKey: copiedKey(event.keyId),
        kind: 'security_key_copied',
        severity: 'error',
        message: `A security key of ${event.holder} counted backwards, so there is a copy of it. It isn't taken any more: remove it, and ask who has the copy.`,
      };
    case 'key-removed':
      if (event.removedBy === null) return null;
      return {
        dedupKey: `security_key_removed:${event.keyId}`,
        kind: 'security_key_removed',
        severity: 'warning',
        message: `${event.removedBy} removed a security key of ${event.holder}. Ask ${event.holder} whether they know of it.`,
      };
  }
}
