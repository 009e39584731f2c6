import type { EncryptionState } from './encryption-states.js';

/** SQL: who has no disk that anybody could lose yet, or any more. */
export const NOT_THERE = `('ordered', 'retired', 'disposed')`;

/** Days: what is known was seen less than `until` of them ago, and no less than `from`. */
const SEEN = {
  day: { from: 0, until: 1 },
  week: { from: 1, until: 7 },
  month: { from: 7, until: 30 },
  older: { from: 30, until: null },
} as const;

/** How old the knowledge of a disk is; `never`: nobody ever got an answer, so that nothing is known. */
export const KNOWLEDGE_AGES = ['day', 'week', 'month', 'older', 'never'] as const;
export type KnowledgeAge = (typeof KNOWLEDGE_AGES)[number];

/** SQL about `device`: in use, and its disk is so as far as anybody knows; counted as the overview counts. */
export function isKnownAs(state: EncryptionState): string {
  return inUseAnd(state === 'unknown' ? UNKNOWN : known(`known.state = '${state}'`));
}

/** SQL about `device`: in use, and what is known of its disk is so old. */
export function isKnownSince(age: KnowledgeAge): string {
  if (age === 'never') return inUseAnd(UNKNOWN);
  const { from, until } = SEEN[age];
  const since = until === null ? [] : [`known.observed_at > now() - interval '${until * 24} hours'`];
  const before = from === 0 ? [] : [`known.observed_at <= now() - interval '${from * 24} hours'`];
  return inUseAnd(known([...since, ...before].join(' AND ')));
}

/** Of whom there is no row nothing is known, as of one whose row says so. */
const UNKNOWN = `NOT ${known('known.observed_at IS NOT NULL')}`;

function inUseAnd(fact: string): string {
  return `device.state NOT IN ${NOT_THERE} AND ${fact}`;
}

function known(what: string): string {
  return `EXISTS (SELECT FROM device_encryption known WHERE known.device_id = device.id AND ${what})`;
}
