import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '../platform/sign-in/actor.js';
import type { ReportingEnd } from './reporting-ends.js';

/** The person whose it was has it no more, or nobody will have it again. */
export interface Departure {
  deviceId: string;
  because: Extract<ReportingEnd, 'handed_back' | 'retired'>;
}

/** In the transaction of what it hears of, which holds the device's lock. */
type DepartureListener = (tx: EntityManager, actor: Actor, departure: Departure) => Promise<void>;

/**
 * That a device left its person, or is out of use. Whoever had it may have kept a copy of what it reported with: those who
 * gave it that are on a floor above, and listen here. A lost device didn't leave: what it still says is looked for.
 */
@Injectable()
export class Departures {
  private readonly listeners: DepartureListener[] = [];

  listen(listener: DepartureListener): void {
    this.listeners.push(listener);
  }

  async tell(tx: EntityManager, actor: Actor, departure: Departure): Promise<void> {
    for (const listener of this.listeners) await listener(tx, actor, departure);
  }
}
