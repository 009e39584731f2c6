import { oneLine } from '../../platform/logging/one-line.js';
import type { AlertSeverity } from '../../cases/alert.entity.js';

/** What a channel is to tell. */
export interface Notice {
  /** The same from a trouble's first word to its last, and when a word is said twice. At most 255 characters. */
  dedupKey: string;
  action: 'trigger' | 'resolve';
  severity: AlertSeverity;
  /** As in `needs_human`. */
  kind: string;
  /** In a sentence: what is wrong, and at what. */
  summary: string;
  /** Who has to act, as far as somebody has. */
  owner: string | null;
  /** Why it is told here and now, when that isn't obvious: another channel failed, or nobody acted in time. */
  note: string | null;
  since: Date;
  /** Our public address: where it comes from, and where to look. */
  from: string;
}

export type SendOutcome =
  | { outcome: 'sent' }
  /** The provider won't take it, now or later. */
  | { outcome: 'refused'; why: string }
  /** It may work later; nobody knows whether it was taken. */
  | { outcome: 'failed'; why: string; notBefore?: Date };

/** One line, for a phone's lock screen. */
export function headline({ action, severity, summary, note }: Notice): string {
  const state = action === 'resolve' ? 'Over' : severity.toUpperCase();
  return oneLine(`${state}: ${summary}${note ? ` (${note})` : ''}`);
}

/** @param most characters */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
