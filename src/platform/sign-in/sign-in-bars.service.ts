import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** @returns why this person may not be signed in now, as a sentence, or null */
export type SignInBar = (tx: EntityManager, personId: string) => Promise<string | null>;

/** Why people may not be signed in: features above know that, and add themselves here. */
@Injectable()
export class SignInBars {
  private readonly bars: SignInBar[] = [];

  add(bar: SignInBar): void {
    this.bars.push(bar);
  }

  async against(tx: EntityManager, personId: string): Promise<string | null> {
    for (const bar of this.bars) {
      const reason = await bar(tx, personId);
      if (reason !== null) return reason;
    }
    return null;
  }
}
