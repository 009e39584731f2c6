import { z } from 'zod';
import { ToolError } from '../kit/errors.js';

/** A line `account UID NAME STATE MARK VERSION EPOCH LIVE GROUPS` of the gateway’s, with `-` for what isn't there. */
export interface GatewayAccount {
  externalId: string;
  username: string;
  state: 'active' | 'suspended';
  /** Closed in one of the two places only: somebody changed it by hand, or we were stopped half-way. */
  isHalfSuspended: boolean;
  mark: string | null;
  credentialVersion: string | null;
  epoch: string | null;
  live: number;
  groups: readonly string[];
}

const AccountLine = z.tuple([
  z.literal('account'),
  z.string().regex(/^\d+$/),
  z.string().min(1),
  z.enum(['active', 'suspended', 'half']),
  z.string(),
  z.string(),
  z.string(),
  z.string().regex(/^\d+$/),
  z.string(),
]);

/** Null for a line about something else. */
export function parseAccount(words: readonly string[]): GatewayAccount | null {
  if (words[0] !== 'account') return null;
  const parsed = AccountLine.safeParse(words);
  if (!parsed.success) {
    throw new ToolError('invalid', 'The gateway answered with a line that can’t be read.', {
      remedy: 'Install the quartermaster-gateway that belongs to this version.',
    });
  }
  const [, externalId, username, state, mark, version, epoch, live, groups] = parsed.data;
  return {
    externalId,
    username,
    state: state === 'suspended' ? 'suspended' : 'active',
    isHalfSuspended: state === 'half',
    mark: mark === '-' ? null : decode(mark),
    credentialVersion: orNull(version),
    epoch: orNull(epoch),
    live: Number(live),
    groups: groups === '-' ? [] : groups.split(','),
  };
}

/** The devices of an account that have a certificate, and those whose certificates were revoked, since its last renewal. */
export function parseCertificates(
  answer: readonly (readonly string[])[],
  { externalId, epoch }: GatewayAccount,
): { devices: readonly string[]; revokedDevices: readonly string[] } {
  const prefix = `quartermaster/${externalId}/${epoch}/`;
  const revoked = answer.flatMap(([kind, keyId]) =>
    kind === 'revoked' && keyId?.startsWith(prefix) ? [decode(keyId.slice(prefix.length))] : [],
  );
  const certified = answer.flatMap(([kind, device]) => (kind === 'certificate' && device ? [decode(device)] : []));
  const revokedDevices = new Set(revoked);
  const devices = new Set(certified.filter((device) => !revokedDevices.has(device)));
  return { devices: [...devices], revokedDevices: [...revokedDevices] };
}

function orNull(word: string): string | null {
  return word === '-' ? null : word;
}

function decode(word: string): string {
  return Buffer.from(word, 'base64url').toString('utf8');
}
