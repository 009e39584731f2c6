import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

/** No blank and no parenthesis, which end a rule, and no quote, which redis.conf would read as one. */
const pattern = z
  .string()
  .regex(/^[!#-&*-~]{1,200}$/, 'must be printable ASCII without blanks, quotes and parentheses');

export const redisAclRole = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
    .describe('As the access policy says it'),
  access: z
    .enum(['read', 'read-write'])
    .describe('“read” is +@read, “read-write” is +@read +@write; never what Redis calls dangerous, admin or scripting'),
  keys: z.array(pattern).default([]).describe('Key patterns, as in ~orders:*, without the ~'),
  channels: z.array(pattern).default([]).describe('Channel patterns; with one, the role may publish and subscribe'),
});

export type RedisAclRole = z.infer<typeof redisAclRole>;

export const redisAclSettings = z.object({
  host: z.string().min(1),
  port: z.int().min(1).max(65535).default(6379),
  user: z.string().min(1).describe('The service’s own ACL user'),
  sslmode: z
    .enum(['verify-full', 'require', 'disable'])
    .default('verify-full')
    .describe('“require” encrypts without knowing with whom; “disable” is for private addresses only'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
  persistence: z
    .enum(['acl-file', 'config-rewrite'])
    .default('acl-file')
    .describe('How users survive a restart: ACL SAVE to the server’s aclfile, or CONFIG REWRITE of its redis.conf'),
  everyNodeIsATool: z
    .boolean()
    .default(false)
    .describe('Each replica and cluster node is set up as a tool of its own: Redis copies no ACL users between them'),
  roles: z
    .array(redisAclRole)
    .default([])
    .refine((roles) => new Set(roles.map(({ name }) => name)).size === roles.length, 'names a role twice')
    .describe('What the access policy may give out here'),
});

export type RedisAclSettings = z.infer<typeof redisAclSettings>;

const LOOK = '+acl|users +acl|getuser +client|list +info';
const CHANGE = '+acl|getuser +acl|setuser, and +acl|save (or +config|rewrite)';
const END_SESSIONS = '+client|list +client|kill';

export const redisAclManifest = {
  id: 'redis-acl',
  title: 'Redis and Valkey (ACL users)',
  kind: 'api',
  settings: redisAclSettings,
  secrets: { password: 'Password of the service’s own ACL user' },
  capabilities: {
    check: { permission: '+acl|whoami +acl|dryrun +info' },
    listAccounts: { permission: LOOK },
    findAccounts: { permission: LOOK },
    getAccount: { permission: LOOK },
    createAccount: { permission: `${CHANGE} +acl|users +acl|deluser +multi +exec` },
    suspendAccount: { permission: `${CHANGE} ${END_SESSIONS}` },
    restoreAccount: { permission: CHANGE },
    removeAccount: { permission: `${CHANGE} +acl|deluser ${END_SESSIONS}` },
    resetCredentials: { permission: `${CHANGE} ${END_SESSIONS}` },
    revokeAccess: { permission: END_SESSIONS },
    grant: { permission: CHANGE },
    withdraw: { permission: CHANGE },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<RedisAclSettings>, 'open'>;
