import type { ApiToken } from '../../api/types.js';
import { serverNow } from '../../time/server-clock.js';

/** Whether it opens anything still. */
export function isStanding({ revokedAt, expiresAt }: Pick<ApiToken, 'revokedAt' | 'expiresAt'>): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > serverNow());
}
