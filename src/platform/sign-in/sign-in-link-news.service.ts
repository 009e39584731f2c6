import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export type SignInLinkEvent = { linkId: string; actorName: string } & (
  { what: 'made'; madeBy: string } | { what: 'used' }
);

/** In the transaction of what it hears of. */
export type SignInLinkListener = (tx: EntityManager, event: SignInLinkEvent) => Promise<void>;

/** A link gets somebody past the provider: whoever tells people of such things is on a floor above, and listens here. */
@Injectable()
export class SignInLinkNews {
  private readonly listeners: SignInLinkListener[] = [];

  listen(listener: SignInLinkListener): void {
    this.listeners.push(listener);
  }

  async tell(tx: EntityManager, event: SignInLinkEvent): Promise<void> {
    for (const listener of this.listeners) await listener(tx, event);
  }
}
