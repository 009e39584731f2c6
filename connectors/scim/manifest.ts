import { z } from 'zod';
import type { Connector } from '../kit/contract.js';
import { SCIM_PROFILES, type ScimProfileName } from './profiles.js';

export const scimSettings = z.object({
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .describe('The URL above /Users, for example https://app.example.com/scim/v2'),
  profile: z
    .enum(Object.keys(SCIM_PROFILES) as [ScimProfileName, ...ScimProfileName[]])
    .default('generic')
    .describe('Which server this is; “generic” follows the RFCs'),
  tokenLifetimeSeconds: z
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe('How long the app’s own sign-ins outlive a suspension, in seconds; empty when nobody knows'),
  refusesSuspendedAtOnce: z
    .boolean()
    .default(false)
    .describe('The vendor states, or you have tried, that a suspended user’s sessions and tokens stop working at once'),
  ownUserName: z
    .string()
    .optional()
    .describe('The userName of the account the token belongs to; it is never touched. Found by GET /Me where offered'),
  pageSize: z.int().min(1).max(1000).default(100).describe('How many resources one page asks for'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
});

export type ScimSettings = z.infer<typeof scimSettings>;

export const scimManifest = {
  id: 'scim',
  title: 'SCIM 2.0',
  kind: 'api',
  settings: scimSettings,
  secrets: { token: 'Bearer token of an integration that may read and write users and groups' },
  capabilities: {
    check: { permission: 'read ServiceProviderConfig and Users' },
    listAccounts: { permission: 'read Users' },
    findAccounts: { permission: 'read Users' },
    getAccount: { permission: 'read Users and Groups' },
    createAccount: { permission: 'write Users' },
    suspendAccount: { permission: 'write Users' },
    restoreAccount: { permission: 'write Users' },
    removeAccount: { permission: 'delete Users' },
    resetCredentials: { permission: 'write Users (password)' },
    grant: { permission: 'write Groups' },
    withdraw: { permission: 'write Groups' },
  },
  destination: ({ baseUrl }) => new URL(baseUrl).origin,
} as const satisfies Omit<Connector<ScimSettings>, 'open'>;
