import type { DeviceStatus } from '../../../connectors/kit/contract.js';
import type { CommandKind, VerifiedBy } from '../device-command.entity.js';
import { DONE } from './judge-command.js';

/**
 * Holds what somebody saw of the machine against what its device manager shows. A machine that was wiped and enrolled anew
 * is shown as any other one: of that there is their word. Pure.
 */
export function judgeVerified(
  { kind, serial, tool }: { kind: CommandKind; serial: string; tool: string },
  seen: DeviceStatus,
): { by: VerifiedBy } | { contradicted: string } {
  if (seen.serial !== serial) return { by: 'word' };
  if (seen.pending === kind) {
    return { contradicted: `“${tool}” shows the ${kind} as pending: the machine hasn’t taken it yet.` };
  }
  if (kind === 'unlock' && (seen.pending === 'lock' || seen.state === 'locked')) {
    return { contradicted: `“${tool}” shows it as locked, or about to be.` };
  }
  if (kind === 'lock' && seen.state === 'unlocked') return { contradicted: `“${tool}” shows it as unlocked.` };
  return { by: seen.state === DONE[kind] ? 'manager' : 'word' };
}
