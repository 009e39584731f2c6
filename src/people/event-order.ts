/** Where an event of an HR source stands in time: from its signed body, never from headers or arrival. */
export interface EventPosition {
  at: Date;
  /** The source's own counter for events of one instant; 0 when it has none. */
  sequence: number;
}

/** `tie`: two events claim the same place, and a person decides which one holds. */
export type EventOrder = 'newer' | 'outdated' | 'tie';

/** How an event stands to the newest one that was applied to the same employment. */
export function orderOf(event: EventPosition, applied: EventPosition): EventOrder {
  const difference = event.at.getTime() - applied.at.getTime() || event.sequence - applied.sequence;
  if (difference === 0) return 'tie';
  return difference > 0 ? 'newer' : 'outdated';
}
