import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const webhookSettings = z.object({
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !URL.canParse(url) || (!new URL(url).search && !new URL(url).hash), {
      message: 'must be without query and fragment',
    })
    .describe('Where the tool takes requests, for example https://crm.example.com/quartermaster'),
  pageSize: z.int().min(1).max(1000).default(100).describe('How many accounts one page asks for'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the tool’s certificate'),
});

export type WebhookSettings = z.infer<typeof webhookSettings>;

/** The tool decides what it lets us do and says so itself; README.md is the protocol that its programmers follow. */
const asks = (type: string) => ({ permission: `the tool implements \`${type}\`` });

export const webhookManifest = {
  id: 'webhook',
  title: 'A tool of the company’s own',
  kind: 'api',
  settings: webhookSettings,
  secrets: {
    secret:
      'Signing secret that both sides know: whsec_ and 24 to 64 random bytes in base64; two with a space between them while it is being changed',
  },
  capabilities: {
    check: asks('check'),
    listAccounts: asks('accounts.list'),
    findAccounts: asks('accounts.find'),
    getAccount: asks('account.get'),
    createAccount: asks('account.create'),
    suspendAccount: asks('account.suspend'),
    restoreAccount: asks('account.restore'),
    removeAccount: asks('account.remove'),
    resetCredentials: asks('account.reset-credentials'),
    revokeAccess: asks('account.revoke-access'),
    revokeDevice: asks('account.revoke-device'),
    grant: asks('grant.give'),
    withdraw: asks('grant.withdraw'),
  },
  destination: ({ url }) => new URL(url).origin,
} as const satisfies Omit<Connector<WebhookSettings>, 'open'>;
