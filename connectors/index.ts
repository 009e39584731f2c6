import { activeDirectoryConnector } from './active-directory/connector.js';
import { fleetConnector } from './fleet/connector.js';
import type { Connector } from './kit/contract.js';
import { ldapConnector } from './ldap/connector.js';
import { manualConnector } from './manual/connector.js';
import { mysqlConnector } from './mysql/connector.js';
import { postgresConnector } from './postgres/connector.js';
import { rabbitmqConnector } from './rabbitmq/connector.js';
import { redisAclConnector } from './redis-acl/connector.js';
import { scimConnector } from './scim/connector.js';
import { sshGatewayConnector } from './ssh-gateway/connector.js';
import { webhookConnector } from './webhook/connector.js';

/** All connectors there are. Settings are parsed by each connector's own schema when it is opened. */
export const connectors: readonly Connector[] = [
  activeDirectoryConnector,
  fleetConnector,
  ldapConnector,
  manualConnector,
  mysqlConnector,
  postgresConnector,
  rabbitmqConnector,
  redisAclConnector,
  scimConnector,
  sshGatewayConnector,
  webhookConnector,
];
