import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

const dn = z.string().regex(/^[^=,]+=.+$/, 'must be a distinguished name, such as OU=People,DC=corp,DC=example');

export const activeDirectorySettings = z.object({
  host: z.string().min(1).describe('A domain controller that takes changes, by the name in its certificate'),
  port: z.int().min(1).max(65535).default(636),
  tls: z.enum(['ldaps', 'starttls']).default('ldaps').describe('Passwords are written over TLS only'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the controller’s certificate'),
  bindName: z.string().min(1).describe('The service’s own account: user principal name or distinguished name'),
  domainBase: dn.describe('The domain: DC=corp,DC=example'),
  userBase: dn.describe('Where new accounts of people are made'),
  groupBase: dn.describe('Where the groups are that the access policy gives out'),
  computerBase: dn.optional().describe('Where computers are; the whole domain otherwise'),
  upnSuffix: z
    .string()
    .regex(/^[A-Za-z0-9.-]+$/)
    .describe('What follows the @ of a user principal name'),
  markAttribute: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9-]*$/)
    .default('extensionName')
    .describe('Where our mark is written, beside other values; must take several values and not be writable by people'),
  keyAttributes: z
    .array(z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]*$/))
    .default(['msDS-KeyCredentialLink'])
    .describe('Attributes that hold people’s keys (Windows Hello, smart cards): emptied by suspend and reset'),
  ticketHours: z
    .number()
    .min(0)
    .max(24 * 7)
    .default(10)
    .describe('The domain’s “maximum lifetime for user ticket”: how long Kerberos tickets live on'),
});

export type ActiveDirectorySettings = z.infer<typeof activeDirectorySettings>;

export const activeDirectoryManifest = {
  id: 'active-directory',
  title: 'Active Directory',
  kind: 'api',
  settings: activeDirectorySettings,
  secrets: { password: 'Password of the service’s own account' },
  capabilities: {
    check: { permission: 'read the domain' },
    listAccounts: { permission: 'read the domain' },
    findAccounts: { permission: 'read the domain' },
    getAccount: { permission: 'read the domain' },
    createAccount: { permission: 'create user objects below userBase, and reset their passwords' },
    suspendAccount: { permission: 'write userAccountControl and the attributes of keys' },
    restoreAccount: { permission: 'write userAccountControl' },
    removeAccount: { permission: 'delete user objects below userBase' },
    resetCredentials: { permission: 'reset password, write pwdLastSet and the attributes of keys' },
    grant: { permission: 'write member of the groups' },
    withdraw: { permission: 'write member of the groups' },
    listComputers: { permission: 'read computer objects' },
    listRecoveryKeys: { permission: 'read msFVE-RecoveryInformation objects' },
    revealRecoveryKey: { permission: 'read msFVE-RecoveryPassword: it is confidential, and needs control access too' },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<ActiveDirectorySettings>, 'open'>;
