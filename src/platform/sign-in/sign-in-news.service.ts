import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export type SignInEvent =
  | { what: 'link-made'; linkId: string; actorName: string; madeBy: string }
  | { what: 'link-used'; linkId: string; actorName: string }
  /** From now on they show it before what is dangerous, and whoever has it can. */
  | { what: 'key-registered'; keyId: string; holder: string }
  /** A security key answered with a count that it had passed before: there are two of them. */
  | { what: 'key-copied'; keyId: string; holder: string }
  /** `removedBy` is null where nobody else did it: by whose key it is, or together with their sign-in. */
  | { what: 'key-removed'; keyId: string; holder: string; removedBy: string | null };

/** In the transaction of what it hears of. */
export type SignInListener = (tx: EntityManager, event: SignInEvent) => Promise<void>;

/** What people have to be told of how others sign in: whoever tells them is on a floor above, and listens here. */
@Injectable()
export class SignInNews {
  private readonly listeners: SignInListener[] = [];

  listen(listener: SignInListener): void {
    this.listeners.push(listener);
  }

  async tell(tx: EntityManager, event: SignInEvent): Promise<void> {
    for (const listener of this.listeners) await listener(tx, event);
  }
}
