import { timingSafeEqual } from 'node:crypto';
import type { InstallationKey } from '../../platform/crypto/installation-key.js';

/** Everything that decides which machine a wipe destroys, and who approved that. */
interface ApprovedWipe {
  commandId: string;
  caseId: string;
  deviceId: string;
  serial: string;
  toolId: string;
  computerId: string;
  approvalId: string;
  /** SHA-256 of the plan that was approved, in hex. */
  planHash: string;
}

/** HMAC under the installation's key, in hex: whoever writes to the database alone can't make one. */
export function sealWipe(key: InstallationKey, wipe: ApprovedWipe): string {
  const { commandId, caseId, deviceId, serial, toolId, computerId, approvalId, planHash } = wipe;
  const content = [commandId, caseId, deviceId, serial, toolId, computerId, approvalId, planHash];
  return key.mac('approved-wipe', Buffer.from(JSON.stringify(content), 'utf8')).toString('hex');
}

export function isSealed(key: InstallationKey, seal: string, wipe: ApprovedWipe): boolean {
  const right = sealWipe(key, wipe);
  return right.length === seal.length && timingSafeEqual(Buffer.from(right), Buffer.from(seal));
}
