import type { Connector, ComputerOrder } from '../../../connectors/kit/contract.js';
import { supports } from '../../../connectors/kit/capabilities.js';
import type { CommandKind } from '../device-command.entity.js';

/** A machine as a device manager had it in its last round. */
export interface ManagedComputer {
  toolId: string;
  tool: string;
  /** Its own id there. */
  computerId: string;
  seenAt: Date;
  capabilities: Connector['capabilities'];
}

export type Giver =
  | {
      by: 'service';
      toolId: string;
      tool: string;
      computerId: string;
      seenAt: Date;
      /** On what the manager can do this, where that isn't all. */
      only: string | null;
    }
  | { by: 'hand'; because: string };

/** The method of a session that gives an order. */
export const METHOD_OF = {
  lock: 'lockComputer',
  unlock: 'unlockComputer',
  wipe: 'wipeComputer',
} as const satisfies Record<ComputerOrder, string>;

/** Where two records may be the machine, nobody but a person knows which one is to be wiped. */
export function chooseGiver(kind: CommandKind, computers: readonly ManagedComputer[]): Giver {
  const method = METHOD_OF[kind];
  const able = computers.filter((computer) => supports(computer, method) && supports(computer, 'readDeviceStatus'));
  const [one, ...others] = able;
  if (one && others.length === 0) {
    const { capabilities, ...where } = one;
    return { by: 'service', ...where, only: capabilities[method]?.only ?? null };
  }
  if (one) {
    const where = [...new Set(able.map(({ tool }) => `“${tool}”`))].join(' and ');
    return {
      by: 'hand',
      because: `${able.length} records at ${where} have its serial number: look there which one it is.`,
    };
  }
  const [manager] = computers;
  if (manager) return { by: 'hand', because: `“${manager.tool}” can’t ${kind} through its API.` };
  return { by: 'hand', because: 'No device manager that is set up here had it in its last round.' };
}
