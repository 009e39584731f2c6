import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SignInBars } from '../platform/sign-in/sign-in-bars.service.js';
import { SignInLinkNews, type SignInLinkEvent } from '../platform/sign-in/sign-in-link-news.service.js';
import { AlertsService } from './alerts.service.js';
import { CasesService } from './cases.service.js';

const OWNER = 'it-admins';

/** What the engine has to do with people's sign-in to this very service. */
@Injectable()
export class SignInWatch {
  constructor(
    bars: SignInBars,
    news: SignInLinkNews,
    private readonly cases: CasesService,
    private readonly alerts: AlertsService,
  ) {
    bars.add(async (tx, personId) => this.reasonAgainst(tx, personId));
    news.listen(async (tx, event) => this.tellOfLink(tx, event));
  }

  /** While a hold stands the person is without access, here too. */
  private async reasonAgainst(tx: EntityManager, personId: string): Promise<string | null> {
    const holds = await this.cases.standingHolds(tx, personId);
    return holds.length === 0
      ? null
      : 'Your access is suspended. Whoever looks after people’s access in your company knows why, and can give it back.';
  }

  /** A link gets past the provider and its second factor: on-call hears of each, whoever made it. */
  private async tellOfLink(tx: EntityManager, event: SignInLinkEvent): Promise<void> {
    const { linkId, actorName } = event;
    await this.alerts.raise(tx, {
      dedupKey: `sign_in_link:${event.what}:${linkId}`,
      kind: 'sign_in_link',
      severity: 'warning',
      owner: OWNER,
      message:
        event.what === 'made'
          ? `${event.madeBy} made a link on the server's command line that signs in ${actorName} without the provider.`
          : `Somebody signed in as ${actorName} with a link from the server's command line.`,
    });
  }
}
