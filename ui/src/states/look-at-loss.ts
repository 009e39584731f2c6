import type { Account, Connector, Tool } from '../api/types.js';

export interface WillCut {
  /** That aren't cut already. */
  accounts: Account[];
  sessions: number;
  /** Accounts at tools that can't show sessions. */
  sessionsUnknown: number;
  /** Names of tools without an API: somebody has to do it there by hand, so the tool can't prove it. */
  byHand: string[];
  /** Names of tools that are paused or retired: it waits there. */
  paused: string[];
}

/** What a loss will cut, as far as it is known beforehand; the tools are searched for more when it happens. */
export function willCut(
  accounts: readonly Account[],
  tools: readonly Tool[],
  connectors: readonly Connector[],
): WillCut {
  const open = accounts.filter(
    ({ observedState, desiredState }) => observedState === 'active' || desiredState === 'active',
  );
  const toolOf = ({ toolId }: Account): Tool | undefined => tools.find(({ id }) => id === toolId);
  const human = new Set(connectors.filter(({ kind }) => kind === 'human').map(({ id }) => id));
  const namesWhere = (isSo: (tool: Tool) => boolean): string[] => [
    ...new Set(
      open
        .map(toolOf)
        .filter((tool) => tool !== undefined && isSo(tool))
        .map((tool) => tool?.name ?? ''),
    ),
  ];
  return {
    accounts: open,
    sessions: open.reduce((sum, { liveSessions }) => sum + (liveSessions ?? 0), 0),
    sessionsUnknown: open.filter(({ liveSessions }) => liveSessions === null).length,
    byHand: namesWhere(({ connector }) => human.has(connector)),
    paused: namesWhere(({ state }) => state !== 'active'),
  };
}
