import type { NewAlert } from '../cases/alerts.service.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import type { NotReached } from '../platform/outbound/post-once.js';
import { UntrustedAnswer, type WitnessRefusal } from './ask-witness.js';

/** Why there is no cosignature. */
export type WitnessTrouble = BrokenLog | UntrustedAnswer | WitnessRefusal | NotReached;

/** Seconds: somebody else's short outage is nobody's business. */
const PATIENCE = 900;

/** Of alerts that are over when it has cosigned again. */
export function passingAlertKeys(witnessId: string): string[] {
  return [awayKey(witnessId), untrustedKey(witnessId)];
}

/** Of all alerts that may be open about a witness. */
export function witnessAlertKeys(witnessId: string): string[] {
  return [...passingAlertKeys(witnessId), brokenKey(witnessId)];
}

/**
 * Whom to tell of a witness that didn't cosign, and what; nobody while it is only away for a while.
 *
 * @param failingFor seconds
 */
export function tellOfWitness(
  { id, name }: { id: string; name: string },
  error: WitnessTrouble,
  failingFor: number,
): NewAlert | null {
  if (error instanceof BrokenLog) {
    return {
      dedupKey: brokenKey(id),
      kind: 'audit_log_broken',
      severity: 'critical',
      owner: 'it-admins',
      message: `The audit log isn’t the one that the witness ${name} cosigned, and it cosigns nothing more. ${error.message} Run \`quartermaster audit verify\` with a checkpoint that it has.`,
    };
  }
  if (error instanceof UntrustedAnswer) {
    return {
      dedupKey: untrustedKey(id),
      kind: 'witness_untrusted',
      severity: 'error',
      owner: 'it-admins',
      message: `What the witness ${name} answers can’t be believed. ${error.message} Ask its operator; its key may be another one now.`,
    };
  }
  if (failingFor <= PATIENCE) return null;
  return {
    dedupKey: awayKey(id),
    kind: 'witness_away',
    severity: 'warning',
    owner: 'it-admins',
    message: `The witness ${name} hasn’t cosigned the audit log for ${Math.round(failingFor / 60)} minutes. ${error.message} It is asked again; nothing else waits for it.`,
  };
}

const awayKey = (id: string): string => `witness_away:${id}`;
const untrustedKey = (id: string): string => `witness_untrusted:${id}`;
const brokenKey = (id: string): string => `audit_log_broken:witness:${id}`;
