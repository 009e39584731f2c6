import { z } from 'zod';
import type { Connector } from '../kit/contract.js';

export const sshGatewaySettings = z.object({
  host: z.string().min(1),
  port: z.int().min(1).max(65535).default(22),
  user: z.string().min(1).default('root').describe('Whom the service signs in as; its key may run one command only'),
  hostKey: z
    .string()
    .regex(/^(ssh-|ecdsa-)\S+ [A-Za-z0-9+/=]+/, 'must be a line of the gateway’s /etc/ssh/ssh_host_*_key.pub')
    .describe('The gateway’s own public key; no other one is believed'),
  certificateMinutes: z
    .int()
    .min(5)
    .max(7 * 24 * 60)
    .default(8 * 60)
    .describe('How long a certificate lets somebody sign in'),
});

export type SshGatewaySettings = z.infer<typeof sshGatewaySettings>;

const FORCED_COMMAND = 'the forced command quartermaster-gateway, as root';

export const sshGatewayManifest = {
  id: 'ssh-gateway',
  title: 'SSH gateway (OpenSSH)',
  kind: 'api',
  settings: sshGatewaySettings,
  secrets: {
    privateKey: 'The service’s own private key (OpenSSH or PEM), which may run one command on the gateway',
    caKey: 'Private key of the authority that signs people’s certificates (Ed25519 or RSA)',
  },
  capabilities: {
    check: { permission: FORCED_COMMAND },
    listAccounts: { permission: FORCED_COMMAND },
    findAccounts: { permission: FORCED_COMMAND },
    getAccount: { permission: FORCED_COMMAND },
    createAccount: { permission: `${FORCED_COMMAND}; sshd asks quartermaster-principals` },
    suspendAccount: { permission: `${FORCED_COMMAND}; sshd asks quartermaster-principals` },
    restoreAccount: { permission: FORCED_COMMAND },
    removeAccount: { permission: FORCED_COMMAND },
    resetCredentials: { permission: `${FORCED_COMMAND}; sshd asks quartermaster-principals` },
    revokeAccess: { permission: `${FORCED_COMMAND}; sshd asks quartermaster-principals` },
    revokeDevice: { permission: `${FORCED_COMMAND}; sshd heeds its RevokedKeys` },
    grant: { permission: 'the group is named in GRANTABLE of quartermaster-gateway.conf' },
    withdraw: { permission: 'the group is named in GRANTABLE of quartermaster-gateway.conf' },
    issueCertificate: { permission: 'sshd trusts the authority (TrustedUserCAKeys)' },
    getLockdown: { permission: FORCED_COMMAND },
    lockDown: { permission: `${FORCED_COMMAND}; sshd asks quartermaster-principals` },
    liftLockdown: { permission: FORCED_COMMAND },
  },
  destination: ({ host, port }) => `${host}:${port}`,
} as const satisfies Omit<Connector<SshGatewaySettings>, 'open'>;
