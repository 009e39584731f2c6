import { setTimeout as pause } from 'node:timers/promises';
import { CAPABILITIES, type Capability, type Connector, type ToolConnection, type ToolSession } from './contract.js';
import { ToolError } from './errors.js';

/** What goes wrong with one call. */
export type Fault =
  /** The tool does it, and the answer is lost: `ambiguous` for acts, `transient` for looks. */
  | { fault: 'executed-but-timed-out' }
  /** The tool answers 500 and did nothing: `ambiguous` for acts all the same, since nobody can know. */
  | { fault: 'server-error' }
  /** 429, with the time it ends or without. */
  | { fault: 'rate-limited'; resetAt?: Date }
  /** The tool takes this long, then does it; past the call's deadline it is `executed-but-timed-out`. */
  | { fault: 'slow'; ms: number }
  /** Nothing ever comes back: hangs until the call's signal or deadline, and did nothing. */
  | { fault: 'half-open' }
  /** The tool says `done` and did nothing. Looks are not changed by it. */
  | { fault: 'success-that-is-not' };

export interface ChaosCall {
  capability: Capability;
  /** How many calls of this capability came before, over all sessions. */
  before: number;
}

const LOOKS: readonly Capability[] = [
  'check',
  'listAccounts',
  'findAccounts',
  'getAccount',
  'getLockdown',
  'listComputers',
  'listRecoveryKeys',
  'revealRecoveryKey',
  'readDiskEncryption',
  'readDeviceStatus',
];

/**
 * The same connector, with faults. `plan` is asked before each call and answers the fault, or undefined for none:
 *
 *     chaotic(connector, ({ capability, before }) =>
 *       capability === 'suspendAccount' && before === 0 ? { fault: 'executed-but-timed-out' } : undefined)
 */
export function chaotic<Settings>(
  connector: Connector<Settings>,
  plan: (call: ChaosCall) => Fault | undefined,
): Connector<Settings> {
  const counts = new Map<Capability, number>();
  return {
    ...connector,
    async open(connection) {
      const session = await connector.open(connection);
      return new Proxy(session, {
        get(target, property) {
          const member: unknown = Reflect.get(target, property);
          if (typeof member !== 'function') return member;
          const method = member.bind(target) as (...values: unknown[]) => Promise<unknown>;
          const capability = CAPABILITIES.find((name) => name === property);
          if (!capability) return method;
          return (...values: unknown[]) => {
            const before = counts.get(capability) ?? 0;
            counts.set(capability, before + 1);
            return suffer(plan({ capability, before }), capability, connection.call, () => method(...values));
          };
        },
      }) satisfies ToolSession;
    },
  };
}

async function suffer(
  fault: Fault | undefined,
  capability: Capability,
  call: ToolConnection<unknown>['call'],
  execute: () => Promise<unknown>,
): Promise<unknown> {
  const isLook = LOOKS.includes(capability);
  const lost = (what: string) => new ToolError(isLook ? 'transient' : 'ambiguous', `Chaos: ${what}.`);
  switch (fault?.fault) {
    case undefined:
      return execute();
    case 'executed-but-timed-out':
      await execute();
      throw lost('the answer was lost');
    case 'server-error':
      throw lost('the tool answered with 500');
    case 'rate-limited':
      throw new ToolError('rate-limited', 'Chaos: too many requests.', { resetAt: fault.resetAt });
    case 'slow': {
      const inTime = await waits(fault.ms, call);
      const answer = await execute();
      if (inTime) return answer;
      throw lost('the answer came too late');
    }
    case 'half-open':
      await waits(Number.POSITIVE_INFINITY, call);
      throw lost('nothing came back');
    case 'success-that-is-not':
      return isLook ? execute() : { outcome: 'done', value: null, sideEffects: [] };
  }
}

/** False when the call was over before the time was. */
async function waits(ms: number, { signal, deadline }: ToolConnection<unknown>['call']): Promise<boolean> {
  const remaining = Math.max(0, deadline.getTime() - Date.now());
  try {
    await pause(Math.min(ms, remaining), undefined, { signal });
    return ms <= remaining;
  } catch {
    return false;
  }
}
