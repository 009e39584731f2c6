import { Problem } from '../platform/errors/problem.js';

/**
 * From our decision to what was seen of the machine. A device manager's own "wiped" is `requested`: it says that somebody
 * asked. `verified` is the machine enrolled anew and clean, or somebody who saw it.
 */
export const COMMAND_STATES = [
  'ordered',
  'requested',
  'delivered',
  'acknowledged',
  'verified',
  'failed',
  'superseded',
  'risk_accepted',
] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** Where an order may go from where. One that failed is requested again; what is verified, superseded or accepted is over. */
export const NEXT_COMMAND_STATES = {
  ordered: ['requested', 'delivered', 'acknowledged', 'verified', 'failed', 'superseded', 'risk_accepted'],
  requested: ['delivered', 'acknowledged', 'verified', 'failed', 'superseded', 'risk_accepted'],
  delivered: ['acknowledged', 'verified', 'failed', 'superseded', 'risk_accepted'],
  acknowledged: ['verified', 'failed', 'superseded', 'risk_accepted'],
  failed: ['requested', 'delivered', 'acknowledged', 'verified', 'superseded', 'risk_accepted'],
  verified: [],
  superseded: [],
  risk_accepted: [],
} as const satisfies Record<CommandState, readonly CommandState[]>;

/** Nothing more is to be done about an order in one of these. */
export const COMMAND_ENDS = ['verified', 'superseded', 'risk_accepted'] as const satisfies readonly CommandState[];

/** What the service follows at a device manager: whatever comes after it, a person says. */
export const FOLLOWED_STATES = [
  'ordered',
  'requested',
  'delivered',
  'failed',
] as const satisfies readonly CommandState[];

/** @throws Problem `conflict` that names both states */
export function refuseCommandUnless(from: CommandState, to: CommandState): void {
  if ((NEXT_COMMAND_STATES[from] as readonly CommandState[]).includes(to)) return;
  throw new Problem('conflict', `An order that is ${inWords(from)} can’t become ${inWords(to)}.`);
}

function inWords(state: CommandState): string {
  return state.replace('_', ' ');
}
