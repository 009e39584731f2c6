import type { ComputerOrder, DeviceStatus, OrderReadiness } from '../kit/contract.js';
import type { FleetHostDetails } from './fleet-resources.js';

type Standing = Pick<DeviceStatus, 'state' | 'pending' | 'orders'>;

/**
 * Where a host stands and which orders Fleet would take for it, by the checks of its own server
 * (`ee/server/service/hosts.go`: `LockHost`, `UnlockHost`, `WipeHost`).
 */
export function standingOf(host: FleetHostDetails): Standing {
  const { device_status: shown, pending_action: waits } = host.mdm ?? {};
  const state = STATES[shown ?? ''] ?? 'unknown';
  const pending = PENDING[waits ?? ''] ?? UNDER_WAY[shown ?? ''] ?? null;
  const readiness = (what: ComputerOrder): OrderReadiness =>
    whileAnother(what, pending) ?? fromState(what, state, host) ?? onPlatform(what, host) ?? { takes: 'now' };
  return {
    state,
    pending,
    orders: { lock: readiness('lock'), unlock: readiness('unlock'), wipe: readiness('wipe') },
  };
}

/** `mdm.device_status`: the only thing that shows what a device did. One that is at it has not done it. */
const STATES: Readonly<Record<string, DeviceStatus['state']>> = {
  unlocked: 'unlocked',
  locking: 'unlocked',
  wiping: 'unlocked',
  locked: 'locked',
  unlocking: 'locked',
  wiped: 'wiped',
};

/** `mdm.pending_action`: sent, and not done. */
const PENDING: Readonly<Record<string, ComputerOrder>> = { lock: 'lock', unlock: 'unlock', wipe: 'wipe' };
const UNDER_WAY: Readonly<Record<string, ComputerOrder>> = { locking: 'lock', unlocking: 'unlock', wiping: 'wipe' };

function whileAnother(what: ComputerOrder, pending: ComputerOrder | null): OrderReadiness | null {
  if (pending === null || pending === what) return null;
  return {
    takes: 'later',
    because: `A ${pending} is pending at Fleet, which takes no ${what} before the machine has done it.`,
  };
}

function fromState(
  what: ComputerOrder,
  state: DeviceStatus['state'],
  { platform }: FleetHostDetails,
): OrderReadiness | null {
  if (state === 'wiped' && what !== 'wipe')
    return { takes: 'never', because: `Fleet shows it as wiped, and takes no ${what} for it any more.` };
  if (what === 'wipe' && state === 'locked') {
    return platform === 'darwin'
      ? { takes: 'never', because: `Fleet wipes no locked Mac. ${TYPE_THE_PIN}` }
      : { takes: 'once-unlocked', because: 'Fleet wipes no locked machine: it has to be unlocked first.' };
  }
  if (what === 'unlock' && platform === 'darwin') return { takes: 'never', because: TYPE_THE_PIN };
  return null;
}

/** The PIN is Fleet's to show: nobody needs it here. */
const TYPE_THE_PIN =
  'A Mac is unlocked by who types its PIN into it: Fleet shows the PIN under the host’s actions, Unlock.';

function onPlatform(what: ComputerOrder, host: FleetHostDetails): OrderReadiness | null {
  const kind = kindOf(host.platform);
  if (kind === null) {
    return { takes: 'never', because: `Fleet has no ${what} for “${host.platform ?? 'unknown'}” that is used here.` };
  }
  const needsMdm = kind === 'macos' || (kind === 'windows' && what === 'wipe');
  if (needsMdm && (host.mdm?.connected_to_fleet === false || host.mdm?.enrollment_status?.startsWith('Off'))) {
    return {
      takes: 'never',
      because: `Fleet can’t ${what} it: its MDM is off, and only somebody at the machine turns it on.`,
    };
  }
  if (host.mdm?.enrollment_status === 'On (personal)') {
    return { takes: 'never', because: `Fleet can’t ${what} it: it is enrolled as somebody’s own.` };
  }
  const needsScripts = kind === 'linux' || (kind === 'windows' && what !== 'wipe');
  if (needsScripts && host.scripts_enabled === false) {
    return { takes: 'never', because: `Fleet can’t ${what} it: its fleetd was deployed without --enable-scripts.` };
  }
  return null;
}

/** As far as a laptop goes; null: a phone, a browser, or nobody knows. */
export function kindOf(platform: string | null): 'macos' | 'windows' | 'linux' | null {
  if (platform === 'darwin') return 'macos';
  if (platform === 'windows') return 'windows';
  return platform === null || ['ios', 'ipados', 'android', 'chrome'].includes(platform) ? null : 'linux';
}
