import type { z } from 'zod';
import type { CallContext, ComputerOrder, RevealedKey } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { HttpClient, type HttpRequest } from '../kit/http-client.js';
import {
  activities,
  encryptionKey,
  hostDetails,
  hostsPage,
  oneUser,
  users,
  version,
  type FleetHost,
  type FleetHostDetails,
  type FleetUser,
} from './fleet-resources.js';
import { codeOfRefusal, KIND_OF_REFUSAL } from './refusals.js';

export interface FleetClientOptions {
  baseUrl: string;
  token: string;
  certificateAuthority?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
}

const API = '/api/v1/fleet';

/** Fleet's REST API: paths, messages and parsing; it decides nothing. Throws `ToolError`. */
export class FleetClient {
  private readonly http: HttpClient;

  constructor({ token, certificateAuthority, ...options }: FleetClientOptions) {
    this.http = new HttpClient({
      ...options,
      authorization: `Bearer ${token}`,
      ca: certificateAuthority,
      // A page of hosts with their policies and users.
      maxBytes: 32 * 1024 * 1024,
      errorCode: codeOfRefusal,
      kindOfCode: KIND_OF_REFUSAL,
    });
  }

  /** Proves that this is Fleet and that it lets us in; called before anything else. */
  async me(): Promise<FleetUser> {
    return (await this.get('/me', oneUser)).user;
  }

  async version(): Promise<string> {
    return (await this.get('/version', version)).version;
  }

  async hosts(page: number, perPage: number): Promise<readonly FleetHost[]> {
    const query = { page, per_page: perPage, order_key: 'id', disable_failing_policies: 'true' };
    return (await this.get('/hosts', hostsPage, query)).hosts ?? [];
  }

  /** Throws `not-found`. */
  async host(id: string): Promise<FleetHostDetails> {
    return (await this.get(`/hosts/${hostId(id)}`, hostDetails, { exclude_software: 'true' })).host;
  }

  /** The newest hundred. */
  async activitiesOf(id: string): Promise<readonly { type: string; at: Date | null; by: string | null }[]> {
    const query = { per_page: 100, order_key: 'created_at', order_direction: 'desc' };
    const found = await this.get(`/hosts/${hostId(id)}/activities`, activities, query);
    return (found.activities ?? []).map(({ type, created_at: at, actor_email: by }) => ({ type, at, by }));
  }

  /** Fleet writes each reading into its log. Throws `not-found` where it has none that it can open. */
  async encryptionKey(id: string): Promise<RevealedKey> {
    const { host_id: host, encryption_key: kept } = await this.get(
      `/hosts/${hostId(id)}/encryption_key`,
      encryptionKey,
    );
    if (String(host) !== id) throw new ToolError('invalid', 'Fleet answered with another host’s recovery key.');
    return { key: kept.key, storedAt: kept.updated_at };
  }

  /** Fleet queues it for the host. Without `view_pin`, so that the PIN of a Mac stays with Fleet. */
  async order(id: string, what: ComputerOrder): Promise<void> {
    await this.http.request({ method: 'POST', path: `${API}/hosts/${hostId(id)}/${what}` });
  }

  async usersLike(search: string): Promise<readonly FleetUser[]> {
    return (await this.get('/users', users, { query: search })).users ?? [];
  }

  /** Null: this Fleet, which let us in, has no such user. */
  async user(id: string): Promise<FleetUser | null> {
    try {
      return (await this.get(`/users/${hostId(id)}`, oneUser)).user;
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'not-found') return null;
      throw error;
    }
  }

  close(): void {
    this.http.close();
  }

  private async get<T>(path: string, shape: z.ZodType<T>, query: HttpRequest['query'] = {}): Promise<T> {
    const { body } = await this.http.request({ method: 'GET', path: `${API}${path}`, query });
    const parsed = shape.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ToolError('invalid', `GET ${API}${path} was answered with JSON that isn’t Fleet’s.`, {
      remedy: 'Check the base URL; it must be the one of the Fleet server itself.',
    });
  }
}

/** Fleet's ids are numbers; anything else would lead to another path. */
function hostId(id: string): string {
  if (/^\d{1,18}$/.test(id)) return id;
  throw new ToolError('invalid', `“${id}” is not an id of Fleet’s.`);
}
