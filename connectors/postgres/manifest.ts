import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const postgresSettings = z.object({
  host: z
    .string()
    .min(1)
    .refine((host) => !host.startsWith('/'), 'must be a host name or an address, not a socket folder'),
  port: z.int().min(1).max(65535).default(5432),
  database: z
    .string()
    .min(1)
    .default('postgres')
    .describe('Any database the service may connect to; roles are the cluster’s'),
  user: z.string().min(1).describe('The service’s own role'),
  sslmode: z
    .enum(['verify-full', 'require', 'disable'])
    .default('verify-full')
    .describe('“require” encrypts without knowing with whom; “disable” is for private addresses only'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
  passwordsOnly: z
    .boolean()
    .default(true)
    .describe('pg_hba.conf lets people in by password only: no certificates, Kerberos, LDAP or trust'),
});

export type PostgresSettings = z.infer<typeof postgresSettings>;

const CREATEROLE = 'CREATEROLE (from PostgreSQL 16 on also ADMIN OPTION on the role, which its creator has)';

export const postgresManifest = {
  id: 'postgres',
  title: 'PostgreSQL',
  kind: 'api',
  settings: postgresSettings,
  secrets: { password: 'Password of the service’s own role' },
  capabilities: {
    check: { permission: 'CONNECT' },
    listAccounts: { permission: 'CONNECT' },
    findAccounts: { permission: 'CONNECT' },
    getAccount: { permission: 'CONNECT' },
    createAccount: { permission: CREATEROLE },
    suspendAccount: { permission: `${CREATEROLE}, pg_signal_backend` },
    restoreAccount: { permission: CREATEROLE },
    removeAccount: { permission: `${CREATEROLE}, pg_signal_backend` },
    resetCredentials: { permission: `${CREATEROLE}, pg_signal_backend` },
    revokeAccess: { permission: 'pg_signal_backend' },
    grant: { permission: 'ADMIN OPTION on the group role (CREATEROLE up to PostgreSQL 15)' },
    withdraw: { permission: 'ADMIN OPTION on the group role (CREATEROLE up to PostgreSQL 15)' },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<PostgresSettings>, 'open'>;
