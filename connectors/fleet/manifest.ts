import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const fleetSettings = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }).describe('The Fleet server, for example https://fleet.example.com'),
  pageSize: z.int().min(1).max(1000).default(100).describe('How many hosts one page asks for'),
  keepRecoveryKeys: z
    .boolean()
    .default(false)
    .describe('Whether recovery keys that Fleet escrows are kept here too; Fleet writes each reading into its log'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
});

export type FleetSettings = z.infer<typeof fleetSettings>;

const ORDERING = 'global maintainer, and Fleet Premium';

export const fleetManifest = {
  id: 'fleet',
  title: 'Fleet',
  kind: 'api',
  settings: fleetSettings,
  secrets: {
    token: 'API token of an API-only user with the global role “maintainer”; “observer” where it is only to read',
  },
  capabilities: {
    check: { permission: 'any role' },
    findAccounts: { permission: 'admin: only admins see users' },
    getAccount: { permission: 'admin: only admins see users' },
    listComputers: { permission: 'global observer' },
    readDiskEncryption: { permission: 'global observer' },
    readDeviceStatus: { permission: 'global observer' },
    listRecoveryKeys: { permission: 'global observer' },
    revealRecoveryKey: { permission: 'global observer' },
    lockComputer: {
      permission: ORDERING,
      only: 'Macs and Windows under Fleet’s MDM, Windows and Linux with fleetd’s scripts enabled',
    },
    unlockComputer: {
      permission: ORDERING,
      only: 'Windows and Linux with fleetd’s scripts enabled; a Mac by its PIN, at the machine',
    },
    wipeComputer: {
      permission: ORDERING,
      only: 'Macs and Windows under Fleet’s MDM, Linux with fleetd’s scripts enabled; none while a lock is pending, no locked Mac',
    },
  },
  destination: ({ baseUrl }) => new URL(baseUrl).origin,
} as const satisfies Omit<Connector<FleetSettings>, 'open'>;
