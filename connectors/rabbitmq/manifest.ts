import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

/** Erlang's regular expressions; an empty one lets nothing in. Only what begins and ends can be put beside another. */
const resources = z.string().max(500).default('');

export const rabbitmqRole = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
    .describe('As the access policy says it'),
  vhost: z.string().min(1).max(255).default('/'),
  configure: resources.describe('Regular expression of the queues and exchanges that may be made and deleted'),
  write: resources.describe('… that may be published to'),
  read: resources.describe('… that may be consumed from'),
  tags: z
    .array(z.enum(['management', 'policymaker', 'monitoring']))
    .default([])
    .describe('Access to the management pages; never “administrator”, who could undo everything done here'),
});

export type RabbitmqRole = z.infer<typeof rabbitmqRole>;

export const rabbitmqSettings = z.object({
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .describe('Of the management plugin, without /api, for example https://rabbit.example.com:15671'),
  user: z.string().min(1).describe('The service’s own user'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
  homeVhost: z
    .string()
    .min(1)
    .max(255)
    .default('/')
    .describe('Everybody may open a connection here; what they may do in it comes from roles'),
  internalPasswordsOnly: z
    .boolean()
    .default(true)
    .describe('People sign in by RabbitMQ’s own passwords: no certificates, LDAP, OAuth or cache of answers'),
  roles: z
    .array(rabbitmqRole)
    .default([])
    .refine((roles) => new Set(roles.map(({ name }) => name)).size === roles.length, 'names a role twice')
    .describe('What the access policy may give out here'),
});

export type RabbitmqSettings = z.infer<typeof rabbitmqSettings>;

const ADMINISTRATOR = { permission: 'the tag administrator' };

export const rabbitmqManifest = {
  id: 'rabbitmq',
  title: 'RabbitMQ',
  kind: 'api',
  settings: rabbitmqSettings,
  secrets: { password: 'Password of the service’s own user' },
  capabilities: {
    check: { permission: 'the tag management' },
    listAccounts: ADMINISTRATOR,
    findAccounts: ADMINISTRATOR,
    getAccount: ADMINISTRATOR,
    createAccount: ADMINISTRATOR,
    suspendAccount: ADMINISTRATOR,
    restoreAccount: ADMINISTRATOR,
    removeAccount: ADMINISTRATOR,
    resetCredentials: ADMINISTRATOR,
    revokeAccess: ADMINISTRATOR,
    grant: ADMINISTRATOR,
    withdraw: ADMINISTRATOR,
  },
  destination: ({ baseUrl }) => new URL(baseUrl).origin,
} as const satisfies Omit<Connector<RabbitmqSettings>, 'open'>;
