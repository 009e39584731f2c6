import { z } from 'zod';
import type { Connector } from '../../../connectors/kit/contract.js';

/** What an administrator fills in, without secrets; the descriptions are the form's. Defaults where one is right. */
export const exampleToolSettings = z.object({
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .describe('Where the tool’s API is, for example https://example-tool.example.com/api'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
});

export type ExampleToolSettings = z.infer<typeof exampleToolSettings>;

// Fill in: the permissions in the tool's own words, as its administrator has to look for them.
const LOOK = { permission: 'read users and groups' };
const CHANGE = { permission: 'write users' };
const CHANGE_GROUPS = { permission: 'write groups' };

/** Exactly what the session implements: whatever the tool can't do is taken out here and there. */
export const exampleToolManifest = {
  id: 'example-tool',
  title: 'Example tool',
  kind: 'api',
  settings: exampleToolSettings,
  secrets: { token: 'Token of an integration of its own, never of a person' },
  capabilities: {
    check: LOOK,
    listAccounts: LOOK,
    findAccounts: LOOK,
    getAccount: LOOK,
    createAccount: CHANGE,
    suspendAccount: CHANGE,
    restoreAccount: CHANGE,
    removeAccount: CHANGE,
    resetCredentials: CHANGE,
    revokeAccess: CHANGE,
    grant: CHANGE_GROUPS,
    withdraw: CHANGE_GROUPS,
  },
  destination: ({ baseUrl }) => new URL(baseUrl).origin,
} as const satisfies Omit<Connector<ExampleToolSettings>, 'open'>;
