import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

const dn = z.string().regex(/^[^=,]+=.+$/, 'must be a distinguished name, such as ou=people,dc=corp,dc=example');
const attribute = z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]*(;binary)?$/, 'must be the name of an attribute');

export const ldapSettings = z.object({
  host: z.string().min(1),
  port: z.int().min(1).max(65535).default(636),
  tls: z
    .enum(['ldaps', 'starttls', 'none'])
    .default('ldaps')
    .describe('TLS from the start, or by StartTLS; “none” is for private addresses only'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
  bindDn: dn.describe('The service’s own entry'),
  userBase: dn.describe('Where people’s entries are, and new ones are made'),
  groupBase: dn.optional().describe('Where the groups are that the access policy gives out'),
  groupKind: z
    .enum(['groupOfNames', 'groupOfUniqueNames', 'posixGroup'])
    .default('groupOfNames')
    .describe('How the groups name their members'),
  markAttribute: attribute
    .default('description')
    .describe('Where our mark is written, beside other values; must take several values and have equality matching'),
  keyAttributes: z
    .array(attribute)
    .default([])
    .describe(
      'Attributes that hold people’s keys (sshPublicKey, userCertificate;binary): emptied by suspend and reset',
    ),
  applicationSessionMinutes: z
    .int()
    .min(0)
    .optional()
    .describe('The longest that any application behind this directory keeps a session or remembers a password'),
});

export type LdapSettings = z.infer<typeof ldapSettings>;

export const ldapManifest = {
  id: 'ldap',
  title: 'LDAP (OpenLDAP)',
  kind: 'api',
  settings: ldapSettings,
  secrets: { password: 'Password of the service’s own entry' },
  capabilities: {
    check: { permission: 'write below userBase: it makes an entry without a person, tries it and deletes it' },
    listAccounts: { permission: 'read below userBase, without a size limit' },
    findAccounts: { permission: 'read below userBase' },
    getAccount: { permission: 'read below userBase and groupBase' },
    createAccount: { permission: 'write to entry and children below userBase' },
    suspendAccount: { permission: 'write to pwdAccountLockedTime; the ppolicy overlay with pwdLockout TRUE' },
    restoreAccount: { permission: 'write to pwdAccountLockedTime' },
    removeAccount: { permission: 'write to entry and children below userBase, and to the members of groups' },
    resetCredentials: { permission: 'write to userPassword, pwdAccountLockedTime and the mark’s attribute' },
    grant: { permission: 'write to the members of the group' },
    withdraw: { permission: 'write to the members of the group' },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<LdapSettings>, 'open'>;
