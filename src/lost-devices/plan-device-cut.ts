import { planReset, type ResettableAccount } from '../cases/plan-reset.js';
import type { StepPlan } from '../cases/step-plan.js';

/**
 * How only what one device holds is cut, while its holder works on another: where this device has credentials of its own,
 * these and their sessions end; at every other tool the account gets new credentials, which ends all sessions there and
 * leaves the account open.
 *
 * @param devices what an account's tool knows this device by, by account: only where it was seen to have credentials
 * there; each name has credentials of its own, which end by themselves
 */
export function planDeviceCut(
  accounts: readonly ResettableAccount[],
  devices: ReadonlyMap<string, readonly string[]>,
): StepPlan[] {
  return planReset(accounts).flatMap((reset): StepPlan[] => {
    const { accountId = '', toolId } = reset;
    const names = devices.get(accountId);
    if (names === undefined) return [reset];
    return names.map((device) => ({
      key: `device:${accountId}:${device}`,
      act: 'revoke_device',
      toolId,
      accountId,
      device,
    }));
  });
}
