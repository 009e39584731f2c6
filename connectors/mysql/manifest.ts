import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const mysqlSettings = z.object({
  host: z
    .string()
    .min(1)
    .refine((host) => !host.startsWith('/'), 'must be a host name or an address, not a socket'),
  port: z.int().min(1).max(65535).default(3306),
  user: z.string().min(1).describe('The service’s own account'),
  sslmode: z
    .enum(['verify-full', 'require', 'disable'])
    .default('verify-full')
    .describe('“require” encrypts without knowing with whom; “disable” is for private addresses only'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
  schema: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,64}$/)
    .default('quartermaster')
    .describe('The schema that holds the connector’s own view and table; see README.md'),
  accountHost: z
    .string()
    .regex(/^[A-Za-z0-9_.:%/-]{1,255}$/)
    .default('%')
    .describe('Where people may connect from: the host part of the accounts that are made'),
});

export type MysqlSettings = z.infer<typeof mysqlSettings>;

const LOOK = 'SELECT on <schema>.accounts, <schema>.marks and mysql.roles_mapping, PROCESS';
const CHANGE = 'CREATE USER, and SELECT, INSERT, UPDATE, DELETE on <schema>.marks';
const END_SESSIONS = 'PROCESS, CONNECTION ADMIN';

export const mysqlManifest = {
  id: 'mysql',
  title: 'MariaDB',
  kind: 'api',
  settings: mysqlSettings,
  secrets: { password: 'Password of the service’s own account' },
  capabilities: {
    check: { permission: LOOK },
    listAccounts: { permission: LOOK },
    findAccounts: { permission: LOOK },
    getAccount: { permission: LOOK },
    createAccount: { permission: CHANGE },
    suspendAccount: { permission: `CREATE USER, ${END_SESSIONS}` },
    restoreAccount: { permission: 'CREATE USER' },
    removeAccount: { permission: `${CHANGE}, ${END_SESSIONS}` },
    resetCredentials: { permission: `${CHANGE}, ${END_SESSIONS}` },
    revokeAccess: { permission: END_SESSIONS },
    grant: { permission: 'ADMIN OPTION on the role' },
    withdraw: { permission: `ADMIN OPTION on the role, ${END_SESSIONS}` },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<MysqlSettings>, 'open'>;
