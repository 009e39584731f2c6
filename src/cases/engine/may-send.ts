/** What stands against a grant at the last moment before its call. */
export interface Standing {
  /** A hold on the person, or on this account. */
  held: boolean;
  /** A newer generation than the grant's has spoken. */
  outdated: boolean;
  /** The installation revokes only, after a restore from a backup. */
  closed: boolean;
}

/** Why a grant may not be sent any more; null: it may. Nothing known is a refusal, too: grants fail closed (I10). */
export function whyNotSent(standing: Standing | undefined): string | null {
  if (!standing) return 'The person is not there any more.';
  if (standing.held) return 'The person is held: access is not given while a hold stands.';
  if (standing.outdated) return 'A newer decision about the person replaced this one.';
  if (standing.closed) return 'The service was restored from a backup and only revokes until two people release it.';
  return null;
}
