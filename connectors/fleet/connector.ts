import { already } from '../kit/act-results.js';
import { checkConnection } from '../kit/connection.js';
import type {
  AccountQuery,
  AccountRef,
  ActResult,
  CheckReport,
  ComputerOrder,
  ComputerPage,
  Connector,
  DeviceStatus,
  DiskSeen,
  FoundAccount,
  ObservedAccount,
  ObservedComputer,
  RecoveryKeyRecord,
  RevealedKey,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { FleetClient } from './client.js';
import { kindOf, standingOf } from './device-orders.js';
import type { FleetHost, FleetHostDetails, FleetUser } from './fleet-resources.js';
import { fleetManifest, type FleetSettings } from './manifest.js';

/** Devices that Fleet manages, as it knows them; see README.md for what it proves and what it can't. */
export const fleetConnector: Connector<FleetSettings> = {
  ...fleetManifest,
  async open(connection: ToolConnection<FleetSettings>): Promise<ToolSession> {
    const settings = checkConnection(fleetManifest, connection);
    const { baseUrl, certificateAuthority } = settings;
    const client = new FleetClient({
      baseUrl,
      token: connection.secrets['token'] ?? '',
      certificateAuthority,
      allowPrivateAddresses: connection.allowPrivateAddresses,
      call: connection.call,
    });
    try {
      return new FleetSession(client, settings, await client.me());
    } catch (error) {
      client.close();
      throw error;
    }
  },
};

class FleetSession implements ToolSession {
  constructor(
    private readonly client: FleetClient,
    private readonly settings: Pick<FleetSettings, 'pageSize' | 'keepRecoveryKeys'>,
    private readonly own: FleetUser,
  ) {}

  async check(): Promise<CheckReport> {
    const missing: CheckReport['missing'][number][] = [];
    const { email, global_role: role } = this.own;
    if (!role) {
      const permission = 'a global role';
      const remedy = `Give ${email} the global role “observer”: a role in a team shows that team's hosts only.`;
      for (const capability of DEVICE_CAPABILITIES) missing.push({ capability, permission, remedy });
    }
    if (role !== 'admin' && role !== 'maintainer') {
      const remedy = `Give ${email} the global role “maintainer”; without it somebody locks and wipes by hand in Fleet.`;
      for (const capability of ORDERS) {
        missing.push({ capability, permission: fleetManifest.capabilities[capability].permission, remedy });
      }
    }
    if (role !== 'admin') {
      const remedy =
        'Leavers who are users of Fleet itself are found only by a token of an admin; look by hand otherwise.';
      for (const capability of ['findAccounts', 'getAccount'] as const) {
        missing.push({ capability, permission: fleetManifest.capabilities[capability].permission, remedy });
      }
    }
    return { principal: email, version: await this.client.version(), missing };
  }

  /** Fleet's own users have no mark and no user name but their address. */
  async findAccounts({ email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const found = await this.client.usersLike(email);
    return found
      .filter((user) => user.email.toLowerCase() === email.toLowerCase())
      .map((user) => ({ account: accountOf(user), matchedBy: 'email' }));
  }

  async getAccount({ externalId }: AccountRef): Promise<ObservedAccount | null> {
    const user = await this.client.user(externalId);
    return user && accountOf(user);
  }

  async listComputers(next: string | null): Promise<ComputerPage> {
    const page = next === null ? 0 : Number(next);
    if (!Number.isSafeInteger(page) || page < 0) throw new ToolError('invalid', 'This is no cursor of ours.');
    const { pageSize, keepRecoveryKeys } = this.settings;
    const hosts = await this.client.hosts(page, pageSize);
    // Fleet says nowhere that a page is the last one; the first that isn't full is.
    const isLast = hosts.length < pageSize;
    const computers = hosts.map((host) => ({ ...computerOf(host), ...(keepRecoveryKeys && keyOf(host)) }));
    return { computers, next: isLast ? null : String(page + 1), complete: isLast };
  }

  async readDiskEncryption(computerExternalId: string): Promise<DiskSeen> {
    const host = await this.client.host(computerExternalId);
    return {
      ...stateOf(host),
      observedAt: host.detail_updated_at,
      agent: host.osquery_version === null ? null : { name: 'osquery', version: host.osquery_version },
      platform: kindOf(host.platform),
      raw: { disk_encryption_enabled: host.disk_encryption_enabled ?? null, platform: host.platform },
    };
  }

  async readDeviceStatus(computerExternalId: string): Promise<DeviceStatus> {
    const [host, activities] = await Promise.all([
      this.client.host(computerExternalId),
      this.client.activitiesOf(computerExternalId),
    ]);
    return {
      ...standingOf(host),
      serial: host.hardware_serial,
      isOnline: host.status === 'online',
      lastSeenAt: host.seen_time,
      requests: activities.flatMap(({ type, at, by }) => {
        const what = REQUESTS[type];
        return what ? [{ what, at, by }] : [];
      }),
    };
  }

  async listRecoveryKeys(computerExternalId: string): Promise<readonly RecoveryKeyRecord[]> {
    const host = await this.client.host(computerExternalId);
    if (!host.mdm?.encryption_key_available) return [];
    // When it was stored is told beside the key only, and reading the key is a reveal.
    return [{ externalId: String(host.id), keyId: `fleet-host-${host.id}`, volumeId: null, storedAt: null }];
  }

  async revealRecoveryKey(recoveryKeyExternalId: string): Promise<RevealedKey> {
    return this.client.encryptionKey(recoveryKeyExternalId);
  }

  async lockComputer(computerExternalId: string): Promise<ActResult> {
    return this.order(computerExternalId, 'lock');
  }

  async unlockComputer(computerExternalId: string): Promise<ActResult> {
    return this.order(computerExternalId, 'unlock');
  }

  async wipeComputer(computerExternalId: string): Promise<ActResult> {
    return this.order(computerExternalId, 'wipe');
  }

  /** Looked at first: Fleet answers an order that it has already as it answers one that it can't take. */
  private async order(id: string, what: ComputerOrder): Promise<ActResult> {
    const { state, pending, orders } = standingOf(await this.client.host(id));
    const underWay: ActResult = { outcome: 'in-progress', handle: `${what}:${id}`, sideEffects: [] };
    if (pending === what) return underWay;
    if (pending === null && state === SHOWN_BY[what]) return already(null);
    const readiness = orders[what];
    if (readiness.takes === 'never')
      return { outcome: 'action-required', instructions: readiness.because, sideEffects: [] };
    if (readiness.takes !== 'now') throw new ToolError('conflict', readiness.because);
    await this.client.order(id, what);
    return underWay;
  }

  async close(): Promise<void> {
    this.client.close();
  }
}

const ORDERS = ['lockComputer', 'unlockComputer', 'wipeComputer'] as const;

const SHOWN_BY = { lock: 'locked', unlock: 'unlocked', wipe: 'wiped' } as const;

const DEVICE_CAPABILITIES = [
  'listComputers',
  'readDiskEncryption',
  'readDeviceStatus',
  'listRecoveryKeys',
  'revealRecoveryKey',
] as const;

/** These say that a person asked for it (`docs/Contributing/reference/audit-logs.md`), and nothing of the device. */
const REQUESTS: Readonly<Record<string, ComputerOrder>> = {
  locked_host: 'lock',
  unlocked_host: 'unlock',
  wiped_host: 'wipe',
};

function stateOf({ disk_encryption_enabled: enabled }: FleetHostDetails): Pick<DiskSeen, 'state' | 'why'> {
  if (enabled === true) return { state: 'encrypted' };
  if (enabled === false) return { state: 'not_encrypted' };
  return {
    state: 'unknown',
    why: 'Fleet doesn’t tell: its agent hasn’t answered, or this is a Linux that it sees nothing of',
  };
}

/** Of the platforms on which Fleet escrows a key. */
function keyOf({ platform, mdm }: FleetHost): Pick<ObservedComputer, 'recoveryKey'> {
  const kind = mdm?.encryption_key_available ? kindOf(platform) : null;
  return kind ? { recoveryKey: OPENS[kind] } : {};
}

const OPENS = { macos: 'filevault', windows: 'bitlocker', linux: 'luks' } as const;

function computerOf(host: FleetHost): ObservedComputer {
  return {
    externalId: String(host.id),
    name: host.display_name ?? host.hostname ?? `host ${host.id}`,
    serial: host.hardware_serial,
    operatingSystem: host.os_version,
    // Fleet has no disabled hosts: who is deleted isn't listed.
    isEnabled: true,
    lastSeenAt: host.seen_time,
  };
}

function accountOf({ id, email }: FleetUser): ObservedAccount {
  const unseen = {
    seen: false,
    residualUntil: null,
    because: 'Fleet shows a user’s sessions and tokens to nobody else',
  } as const;
  return {
    externalId: String(id),
    username: email,
    mark: null,
    email,
    state: 'active',
    sessions: unseen,
    credentials: unseen,
    credentialVersion: null,
  };
}
