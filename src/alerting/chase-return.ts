import type { AlertSeverity } from '../cases/alert.entity.js';
import type { OutstandingReturn } from '../devices/returns/return-records.service.js';

const DAY = 24 * 60 * 60_000;
/** Days after which IT is to act, and no longer only the person. */
const TO_IT = 7;
/** Days after which it goes along the escalation list: its first contact, then whoever answers for IT. */
const UP_THE_LIST = 14;
const TEAM = 'it-admins';

export interface Chase {
  /** Another level is another alert, which people hear of anew. */
  level: 'remind' | 'ask_it' | 'escalate';
  severity: AlertSeverity;
  owner: string;
  message: string;
}

/**
 * Who hears of a return that isn't over, and how loudly. The person is reminded while they are here; whoever has left
 * reads nothing any more, so IT is asked at once.
 */
export function chaseReturn(one: OutstandingReturn, now: Date): Chase {
  const { assetTag, personName, email, hasLeft, state, askedAt, receivedAt } = one;
  const days = Math.floor((now.getTime() - (receivedAt ?? askedAt).getTime()) / DAY);
  if (state === 'received') {
    const message = `The device ${assetTag} of ${personName} was received ${days} days ago and nobody has inspected it: it still counts as theirs.`;
    return { level: 'ask_it', severity: 'warning', owner: TEAM, message };
  }
  const where = state === 'sent' ? 'was sent and hasn’t arrived' : 'isn’t back';
  const message = `The device ${assetTag} of ${personName} ${where}: asked for ${days} days ago.`;
  if (days >= UP_THE_LIST) {
    return { level: 'escalate', severity: 'error', owner: TEAM, message: `${message} Get it, or write it off.` };
  }
  if (days >= TO_IT || hasLeft) return { level: 'ask_it', severity: 'warning', owner: TEAM, message };
  return { level: 'remind', severity: 'warning', owner: email, message };
}
