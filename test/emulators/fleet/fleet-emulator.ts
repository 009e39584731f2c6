import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FleetEmulatedHost {
  id: number;
  serial: string;
  platform: 'darwin' | 'windows' | 'ubuntu';
  osqueryVersion: string;
  /** Undefined: left out of the answer, as Fleet does while it knows nothing. */
  diskEncryptionEnabled?: boolean;
  isOnline: boolean;
  /** When its agent last told details; null: never, which Go writes as the year 2000 or 1. */
  detailUpdatedAt: Date | null;
  /** What Fleet escrowed. */
  escrowedKey: { key: string; updatedAt: Date } | null;
  /** Whether it is under Fleet's MDM, and whether its fleetd runs scripts; null: nobody knows. */
  mdmOn: boolean;
  scriptsEnabled: boolean | null;
  /** What the device did. */
  deviceStatus: 'unlocked' | 'locked' | 'wiped';
  /** What was sent and isn't done. */
  pendingAction: '' | Order;
  activities: { type: string; at: Date }[];
}

type Order = 'lock' | 'unlock' | 'wipe';

export type FleetRole = 'admin' | 'maintainer' | 'observer' | null;

interface EmulatedUser {
  id: number;
  email: string;
  role: FleetRole;
  token: string;
}

/** `swallow-answer`: nothing is done. `lose-answer`: it is done, and the answer never comes. */
type Behaviour = { status: number; headers?: Record<string, string> } | 'swallow-answer' | 'lose-answer';

interface Answer {
  status: number;
  body: object;
}

/** What Fleet shows of a host that never told its details. */
const NEVER = '2000-01-01T00:00:00Z';

/**
 * Fleet's REST API on its real paths, as far as the connector uses it, with hosts that are online or not and that do what
 * they were sent only when they come by. The README says where it is kinder than the real one.
 */
export class FleetEmulator {
  readonly hosts: FleetEmulatedHost[] = [];
  readonly users: EmulatedUser[] = [];
  /** Each request, as `GET /api/v1/fleet/hosts?page=0`. */
  readonly requests: string[] = [];
  /** Locks and wipes are Fleet Premium's. */
  isPremium = true;
  private lastHostId = 0;
  private readonly script: Behaviour[] = [];
  private readonly orderScript: Behaviour[] = [];
  private readonly server = createServer((request, response) => this.answer(request, response));

  static async start(): Promise<FleetEmulator> {
    const emulator = new FleetEmulator();
    await new Promise<void>((resolve) => emulator.server.listen(0, '127.0.0.1', resolve));
    return emulator;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  addUser(email: string, role: FleetRole): EmulatedUser {
    const id = this.users.length + 1;
    const user = { id, email, role, token: `fleet-token-${id}` };
    this.users.push(user);
    return user;
  }

  addHost(host: Partial<FleetEmulatedHost> = {}): FleetEmulatedHost {
    const id = (this.lastHostId += 1);
    const added: FleetEmulatedHost = {
      id,
      serial: `FLEET-${id}`,
      platform: 'darwin',
      osqueryVersion: '5.24.0',
      isOnline: true,
      detailUpdatedAt: new Date(),
      escrowedKey: null,
      mdmOn: true,
      scriptsEnabled: true,
      deviceStatus: 'unlocked',
      pendingAction: '',
      activities: [],
      ...host,
    };
    this.hosts.push(added);
    return added;
  }

  /**
   * Somebody locks or wipes a host by hand, or by the API. The activity is written at once, whether the host is there or
   * not: it says that it was asked for.
   */
  request(host: FleetEmulatedHost, action: Order): void {
    host.activities.unshift({
      type: { lock: 'locked_host', unlock: 'unlocked_host', wipe: 'wiped_host' }[action],
      at: new Date(),
    });
    host.pendingAction = action;
    if (host.isOnline) this.comesBy(host);
  }

  /** Its record, and with it what was pending for it. The machine keeps what was sent. */
  deleteHost(host: FleetEmulatedHost): void {
    this.hosts.splice(this.hosts.indexOf(host), 1);
  }

  /** Which orders were asked for, as `lock 3`. */
  get orders(): string[] {
    return this.requests.flatMap((request) => {
      const [, id, what] = /^POST .*\/hosts\/(\d+)\/(\w+)/.exec(request) ?? [];
      return id === undefined ? [] : [`${what} ${id}`];
    });
  }

  /** It comes by, and does what was sent, unless it fails at that. */
  comesBy(host: FleetEmulatedHost, { fails = false } = {}): void {
    host.isOnline = true;
    if (!fails && host.pendingAction !== '') {
      host.deviceStatus = { lock: 'locked', unlock: 'unlocked', wipe: 'wiped' }[host.pendingAction] as 'locked';
    }
    // A device doesn't try again by itself what failed.
    host.pendingAction = '';
  }

  /** For the next requests, one each. */
  next(...behaviours: Behaviour[]): void {
    this.script.push(...behaviours);
  }

  /** For the next orders, one each. */
  nextOrder(...behaviours: Behaviour[]): void {
    this.orderScript.push(...behaviours);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    const behaviour = this.script.shift() ?? (request.method === 'POST' ? this.orderScript.shift() : undefined);
    if (behaviour === 'lose-answer') this.route(request);
    if (typeof behaviour === 'string') return void request.socket.destroy();
    const { status, body, headers } = behaviour
      ? { status: behaviour.status, headers: behaviour.headers, body: problem('injected') }
      : { ...this.route(request), headers: undefined };
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(body));
  }

  private route({ method, url = '', headers }: IncomingMessage): Answer {
    const { pathname, searchParams } = new URL(url, 'http://fleet');
    const path = /^\/api\/(?:v1|latest)\/fleet(\/.*)$/.exec(pathname)?.[1];
    if (path === undefined || (method !== 'GET' && method !== 'POST'))
      return { status: 404, body: problem('Resource Not Found') };
    const user = this.users.find(({ token }) => headers.authorization === `Bearer ${token}`);
    if (!user) return { status: 401, body: problem('Authentication required') };
    if (method === 'POST') return this.orderRoute(path, user);
    if (path === '/me') return ok({ user: userView(user), available_teams: [] });
    if (path === '/version') return ok({ version: '4.90.0', branch: 'main', revision: 'abc', go_version: 'go1.24' });
    if (path.startsWith('/users')) return this.usersRoute(path, searchParams, user);
    // Without a global role somebody sees the hosts of their teams, and these are in none.
    if (user.role === null) return path === '/hosts' ? ok({ hosts: [] }) : forbidden();
    if (path === '/hosts') {
      const [page, perPage] = [Number(searchParams.get('page') ?? 0), Number(searchParams.get('per_page') ?? 100)];
      return ok({ hosts: this.hosts.slice(page * perPage, (page + 1) * perPage).map(listed) });
    }
    const [, id, rest = ''] = /^\/hosts\/(\d+)(\/\w+)?$/.exec(path) ?? [];
    const host = this.hosts.find((one) => String(one.id) === id);
    if (!host) return { status: 404, body: problem('Resource Not Found', `Host ${id} was not found in the datastore`) };
    if (rest === '') return ok({ host: detailed(host) });
    if (rest === '/activities') return ok({ activities: host.activities.map(activity), meta: {} });
    if (rest === '/encryption_key') return keyOf(host);
    return { status: 404, body: problem('Resource Not Found') };
  }

  private orderRoute(path: string, asking: EmulatedUser): Answer {
    const [, id, order] = /^\/hosts\/(\d+)\/(lock|unlock|wipe)$/.exec(path) ?? [];
    if (order !== 'lock' && order !== 'unlock' && order !== 'wipe') {
      return { status: 404, body: problem('Resource Not Found') };
    }
    if (!this.isPremium) return { status: 402, body: problem('Requires Fleet Premium license') };
    const host = this.hosts.find((one) => String(one.id) === id);
    if (!host) return { status: 404, body: problem('Resource Not Found', `Host ${id} was not found in the datastore`) };
    if (asking.role !== 'admin' && asking.role !== 'maintainer') return forbidden();
    const refused = whyNotTaken(host, order);
    if (refused) return refused;
    const before = host.deviceStatus;
    this.request(host, order);
    return ok({ ...(order === 'unlock' && { host_id: host.id }), device_status: before, pending_action: order });
  }

  private usersRoute(path: string, query: URLSearchParams, asking: EmulatedUser): Answer {
    if (asking.role !== 'admin') return forbidden();
    if (path === '/users') {
      const search = (query.get('query') ?? '').toLowerCase();
      return ok({ users: this.users.filter(({ email }) => email.toLowerCase().includes(search)).map(userView) });
    }
    const found = this.users.find(({ id }) => path === `/users/${id}`);
    return found ? ok({ user: userView(found) }) : { status: 404, body: problem('Resource Not Found') };
  }
}

/** As Fleet's server checks it, in its order (`ee/server/service/hosts.go`). */
function whyNotTaken(
  { platform, mdmOn, scriptsEnabled, pendingAction, deviceStatus }: FleetEmulatedHost,
  order: Order,
): Answer | null {
  const refuse = (reason: string, status = 422): Answer => ({ status, body: problem('Validation Failed', reason) });
  const needsMdm = order !== 'unlock' && (platform === 'darwin' || (platform === 'windows' && order === 'wipe'));
  const needsScripts = platform === 'ubuntu' || (platform === 'windows' && order !== 'wipe');
  if (needsMdm && !mdmOn) return refuse(`Can't ${order} the host because it doesn't have MDM turned on.`);
  if (needsScripts && scriptsEnabled === false) {
    return refuse(
      `Couldn't ${order} host. To ${order}, deploy the fleetd agent with --enable-scripts and refetch host vitals.`,
    );
  }
  if (pendingAction !== '') return refuse(`Host has pending ${pendingAction} request.`);
  const isDone = { lock: 'locked', unlock: 'unlocked', wipe: 'wiped' }[order] === deviceStatus;
  if (isDone) return refuse(`Host is already ${deviceStatus}.`, 409);
  if (deviceStatus === 'wiped') return refuse(`Host is wiped. Cannot process ${order} requests once host is wiped.`);
  if (order === 'wipe' && deviceStatus === 'locked') {
    return refuse('Host is locked. Host cannot be wiped until it is unlocked.');
  }
  return null;
}

/** Each reading stands in the host's log. */
function keyOf(host: FleetEmulatedHost): Answer {
  if (!host.escrowedKey) return { status: 404, body: problem('Resource Not Found', 'host encryption key is not set') };
  host.activities.unshift({ type: 'read_host_disk_encryption_key', at: new Date() });
  const { key, updatedAt } = host.escrowedKey;
  return ok({ host_id: host.id, encryption_key: { key, updated_at: updatedAt.toISOString() } });
}

function ok(body: object): Answer {
  return { status: 200, body };
}

function forbidden(): Answer {
  return { status: 403, body: problem('Permission Denied', 'forbidden') };
}

function problem(message: string, reason = message): object {
  return { message, errors: [{ name: 'base', reason }], uuid: 'c0532a64-bec2-4cf9-aa37-96fe47ead814' };
}

function userView({ id, email, role }: EmulatedUser): object {
  return { id, name: email, email, enabled: true, api_only: false, global_role: role, teams: [] };
}

/** “List hosts” has no `disk_encryption_enabled` (`server/fleet/hosts.go`). */
function listed(host: FleetEmulatedHost): object {
  return {
    id: host.id,
    hostname: `host-${host.id}.example`,
    display_name: `Host ${host.id}`,
    uuid: `392547dc-0000-0000-a87a-${String(host.id).padStart(12, '0')}`,
    platform: host.platform,
    osquery_version: host.osqueryVersion,
    os_version: { darwin: 'macOS 15.1', windows: 'Windows 11 Pro 24H2', ubuntu: 'Ubuntu 24.04.3 LTS' }[host.platform],
    hardware_serial: host.serial,
    status: host.isOnline ? 'online' : 'offline',
    seen_time: host.detailUpdatedAt?.toISOString() ?? NEVER,
    detail_updated_at: host.detailUpdatedAt?.toISOString() ?? NEVER,
    mdm: mdmOf(host),
  };
}

function detailed(host: FleetEmulatedHost): object {
  return {
    ...listed(host),
    ...(host.diskEncryptionEnabled !== undefined && { disk_encryption_enabled: host.diskEncryptionEnabled }),
    scripts_enabled: host.scriptsEnabled,
    mdm: {
      ...mdmOf(host),
      connected_to_fleet: host.mdmOn,
      device_status: host.deviceStatus,
      pending_action: host.pendingAction,
      os_settings: { disk_encryption: { status: null, detail: '' } },
    },
  };
}

function mdmOf({ escrowedKey, mdmOn }: FleetEmulatedHost): object {
  return {
    encryption_key_available: escrowedKey !== null,
    enrollment_status: mdmOn ? 'On (automatic)' : 'Off',
    name: mdmOn ? 'Fleet' : '',
  };
}

function activity({ type, at }: { type: string; at: Date }, index: number): object {
  return {
    id: index + 1,
    created_at: at.toISOString(),
    actor_full_name: 'Ada',
    actor_email: 'ada@acme.example',
    type,
    details: {},
  };
}
