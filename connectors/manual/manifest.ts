import { z } from 'zod';
import type { Capability, Connector } from '../kit/contract.js';

export const manualSettings = z.object({
  toolName: z.string().min(1).describe('What people call the tool'),
  adminUrl: z.url().optional().describe('Where its administration is'),
  notes: z.string().max(2000).optional().describe('What whoever does it should know: how to get in, whom to ask'),
});

export type ManualSettings = z.infer<typeof manualSettings>;

/** A person does it, with the rights they have at the tool. */
export const MANUAL_ACTS = [
  'createAccount',
  'suspendAccount',
  'restoreAccount',
  'removeAccount',
  'resetCredentials',
  'revokeAccess',
  'revokeDevice',
  'grant',
  'withdraw',
] as const satisfies readonly Capability[];

const BY_HAND = { permission: 'somebody who administers the tool' };

export const manualManifest = {
  id: 'manual',
  title: 'A tool without an API',
  kind: 'human',
  settings: manualSettings,
  secrets: {},
  capabilities: {
    createAccount: BY_HAND,
    suspendAccount: BY_HAND,
    restoreAccount: BY_HAND,
    removeAccount: BY_HAND,
    resetCredentials: BY_HAND,
    revokeAccess: BY_HAND,
    revokeDevice: BY_HAND,
    grant: BY_HAND,
    withdraw: BY_HAND,
  },
} as const satisfies Omit<Connector<ManualSettings>, 'open'>;
