import type { Capability, CheckReport } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import type { RedisAclClient } from './client.js';
import type { RedisAclSettings } from './manifest.js';

const LOOKS: readonly Capability[] = ['listAccounts', 'findAccounts', 'getAccount'];
const CHANGES: readonly Capability[] = [
  'createAccount',
  'suspendAccount',
  'restoreAccount',
  'removeAccount',
  'resetCredentials',
  'grant',
  'withdraw',
];
const ENDS_SESSIONS: readonly Capability[] = ['suspendAccount', 'removeAccount', 'resetCredentials', 'revokeAccess'];

/** Each command the connector uses, as `ACL DRYRUN` takes it, and what can't be done without it. */
function needs(persistence: RedisAclSettings['persistence']) {
  const save: readonly [string, readonly string[]] =
    persistence === 'acl-file' ? ['acl|save', ['ACL', 'SAVE']] : ['config|rewrite', ['CONFIG', 'REWRITE']];
  return [
    { permission: 'acl|users', example: ['ACL', 'USERS'], capabilities: [...LOOKS, 'createAccount'] },
    { permission: 'acl|getuser', example: ['ACL', 'GETUSER', 'x'], capabilities: [...LOOKS, ...CHANGES] },
    { permission: 'client|list', example: ['CLIENT', 'LIST'], capabilities: [...LOOKS, ...ENDS_SESSIONS] },
    { permission: 'info', example: ['INFO'], capabilities: LOOKS },
    { permission: 'acl|setuser', example: ['ACL', 'SETUSER', 'x'], capabilities: CHANGES },
    { permission: 'acl|deluser', example: ['ACL', 'DELUSER', 'x'], capabilities: ['createAccount', 'removeAccount'] },
    { permission: 'client|kill', example: ['CLIENT', 'KILL', 'USER', 'x'], capabilities: ENDS_SESSIONS },
    { permission: 'multi', example: ['MULTI'], capabilities: ['createAccount'] },
    { permission: 'exec', example: ['EXEC'], capabilities: ['createAccount'] },
    { permission: save[0], example: save[1], capabilities: CHANGES },
  ] as const satisfies readonly {
    permission: string;
    example: readonly string[];
    capabilities: readonly Capability[];
  }[];
}

/** Asks the server what our user may do, by `ACL DRYRUN` (Redis 7.0): nothing of it is carried out. */
export async function missingPermissions(
  client: RedisAclClient,
  own: string,
  persistence: RedisAclSettings['persistence'],
): Promise<CheckReport['missing']> {
  const missing: CheckReport['missing'][number][] = [];
  for (const { permission, example, capabilities } of needs(persistence)) {
    if (await isAllowed(client, own, example)) continue;
    const remedy = `ACL SETUSER ${own} +${permission}, and then ACL SAVE`;
    for (const capability of capabilities) missing.push({ capability, permission: `+${permission}`, remedy });
  }
  return missing;
}

async function isAllowed(client: RedisAclClient, own: string, example: readonly string[]): Promise<boolean> {
  try {
    return (await client.query('ACL', 'DRYRUN', own, ...example)) === 'OK';
  } catch (error) {
    // Without +acl|dryrun nothing can be known; then this is the permission that is missing.
    if (error instanceof ToolError && error.kind === 'forbidden') throw error;
    if (error instanceof ToolError && error.kind === 'invalid') {
      throw new ToolError('unsupported', 'This server has no ACL DRYRUN: it is older than Redis 7.0.');
    }
    throw error;
  }
}

/** What has to be set up at the server so that users survive its restart. */
export function unsavedUsers(persistence: RedisAclSettings['persistence']): CheckReport['missing'] {
  const [permission, remedy] =
    persistence === 'acl-file'
      ? [
          'aclfile in redis.conf',
          'Set `aclfile` in redis.conf and restart, or choose “config-rewrite” in the settings.',
        ]
      : ['a redis.conf', 'Start the server with a configuration file, since CONFIG REWRITE has nothing to write to.'];
  return CHANGES.map((capability) => ({ capability, permission, remedy }));
}
