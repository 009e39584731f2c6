import type { Connector } from './kit/contract.js';
import { manualConnector } from './manual/connector.js';
import { postgresConnector } from './postgres/connector.js';
import { scimConnector } from './scim/connector.js';

/** All connectors there are. Settings are parsed by each connector's own schema when it is opened. */
export const connectors: readonly Connector[] = [manualConnector, postgresConnector, scimConnector];

export function findConnector(id: string): Connector | undefined {
  return connectors.find((connector) => connector.id === id);
}
