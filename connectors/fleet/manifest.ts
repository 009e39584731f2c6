import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const fleetSettings = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }).describe('The Fleet server, for example https://fleet.example.com'),
  pageSize: z.int().min(1).max(1000).default(100).describe('How many hosts one page asks for'),
  certificateAuthority: z.string().optional().describe('PEM of the authority that signed the server’s certificate'),
});

export type FleetSettings = z.infer<typeof fleetSettings>;

export const fleetManifest = {
  id: 'fleet',
  title: 'Fleet',
  kind: 'api',
  settings: fleetSettings,
  secrets: { token: 'API token of an API-only user with the global role “observer”' },
  capabilities: {
    check: { permission: 'any role' },
    findAccounts: { permission: 'admin: only admins see users' },
    getAccount: { permission: 'admin: only admins see users' },
    listComputers: { permission: 'global observer' },
    readDiskEncryption: { permission: 'global observer' },
    readDeviceStatus: { permission: 'global observer' },
    listRecoveryKeys: { permission: 'global observer' },
  },
  destination: ({ baseUrl }) => new URL(baseUrl).origin,
} as const satisfies Omit<Connector<FleetSettings>, 'open'>;
