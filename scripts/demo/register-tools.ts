import { z } from 'zod';
import { ANALYTICS_ADMIN } from './analytics-database.js';
import type { Memory } from './demo-places.js';
import type { QuartermasterApi } from './quartermaster-api.js';
import type { Company } from './start-company.js';

/** Whom a manual task goes to. */
export const ADMIN = 'robin.keeper@acme.example';

/** Ids of the tools, by their names in access-policy.yaml. */
export type ToolKey = 'analytics-db' | 'directory' | 'chat' | 'badge-office';
export type ToolIds = Readonly<Record<ToolKey, string>> & Readonly<Partial<Record<OptionalToolKey, string>>>;
/** Those whose servers may not be installed here. */
export type OptionalToolKey = 'ldap' | 'ssh-gateway';

/** What manages the laptops; nobody has an account there. */
const DEVICE_MANAGER = 'device-manager';

interface WantedTool {
  key: ToolKey | OptionalToolKey | typeof DEVICE_MANAGER;
  name: string;
  connector: string;
  settings: Readonly<Record<string, unknown>>;
  secrets: Readonly<Record<string, string>>;
  allowPrivateAddresses: boolean;
}

const ToolSeen = z.object({ id: z.uuid(), key: z.string(), state: z.string() });
const ToolInFull = ToolSeen.extend({ settings: z.record(z.string(), z.unknown()) });
const CheckSeen = z.object({
  answered: z.boolean(),
  missing: z.array(z.unknown()),
  problem: z.object({ message: z.string() }).nullable(),
});

export interface RegisteredTools {
  tools: ToolIds;
  deviceManagerId: string;
}

/** Makes the tools known, or corrects the address of one that has another port in this run. */
export async function registerTools(api: QuartermasterApi, company: Company, memory: Memory): Promise<RegisteredTools> {
  const known = await api.list('/v1/tools', ToolSeen);
  const register = async (wanted: WantedTool): Promise<string> => {
    const before = known.find(({ key }) => key === wanted.key);
    const id = before ? await correct(api, before.id, wanted) : await create(api, wanted);
    if (before?.state === 'paused') await api.post(`/v1/tools/${id}/resume`, undefined, ToolSeen);
    if (wanted.connector !== 'manual') await check(api, id, wanted.name);
    return id;
  };
  const { analytics, directory, chat, deviceManager, ldap, gateway } = company;
  const lacks = (key: string, server: unknown) => server === null && known.some((tool) => tool.key === key);
  if (lacks('ldap', ldap) || lacks('ssh-gateway', gateway)) {
    // A leaver's case would look for accounts there and wait.
    throw new Error(
      'An earlier run had LDAP or SSH. Install slapd and openssh-server again, or begin with an empty QUARTERMASTER_DATA.',
    );
  }
  const [analyticsId, directoryId, chatId, badgesId, deviceManagerId, ldapId, gatewayId] = await Promise.all([
    register({
      key: 'analytics-db',
      name: 'Analytics database',
      connector: 'postgres',
      settings: {
        host: analytics.host,
        port: analytics.port,
        database: analytics.database,
        user: ANALYTICS_ADMIN,
        sslmode: 'disable',
      },
      secrets: { password: memory.analyticsPassword },
      allowPrivateAddresses: true,
    }),
    register(scimTool('directory', 'Directory', directory.scimUrl, memory.directoryToken)),
    register(scimTool('chat', 'Chat', chat.scimUrl, memory.chatToken)),
    register({
      key: 'badge-office',
      name: 'Badge office',
      connector: 'manual',
      settings: { toolName: 'Badge office', notes: 'Ground floor, extension 110.' },
      secrets: {},
      allowPrivateAddresses: false,
    }),
    register({
      key: DEVICE_MANAGER,
      name: 'Fleet (emulated)',
      connector: 'fleet',
      settings: { baseUrl: deviceManager.url },
      secrets: { token: deviceManager.token },
      allowPrivateAddresses: true,
    }),
    ldap &&
      register({
        key: 'ldap',
        name: 'LDAP',
        connector: 'ldap',
        settings: ldap.settings,
        secrets: { password: ldap.ownPassword },
        allowPrivateAddresses: true,
      }),
    gateway &&
      register({
        key: 'ssh-gateway',
        name: 'SSH gateway',
        connector: 'ssh-gateway',
        settings: gateway.settings,
        secrets: gateway.secrets,
        allowPrivateAddresses: true,
      }),
  ]);
  const tools = {
    'analytics-db': analyticsId,
    directory: directoryId,
    chat: chatId,
    'badge-office': badgesId,
    ...(ldapId && { ldap: ldapId }),
    ...(gatewayId && { 'ssh-gateway': gatewayId }),
  };
  return { tools, deviceManagerId };
}

function scimTool(key: ToolKey, name: string, baseUrl: string, token: string): WantedTool {
  // Tried in scim-app.spec.ts: it refuses a suspended user's token at once.
  const settings = { baseUrl, refusesSuspendedAtOnce: true };
  return { key, name, connector: 'scim', settings, secrets: { token }, allowPrivateAddresses: true };
}

async function create(api: QuartermasterApi, wanted: WantedTool): Promise<string> {
  return (await api.post('/v1/tools', { ...wanted, environment: 'test', owners: [ADMIN] }, ToolSeen)).id;
}

async function correct(api: QuartermasterApi, id: string, wanted: WantedTool): Promise<string> {
  const { value, tag } = await api.getWithTag(`/v1/tools/${id}`, ToolInFull);
  const isRight = Object.entries(wanted.settings).every(([name, setting]) => value.settings[name] === setting);
  // Secrets go only where they were saved for: with another address they are given anew.
  if (!isRight) {
    const { settings, secrets } = wanted;
    await api.patch(`/v1/tools/${id}`, tag, { settings, secrets }, ToolSeen);
  }
  return id;
}

/** Live: the tool answers, and these least-privilege credentials lack nothing. */
async function check(api: QuartermasterApi, id: string, name: string): Promise<void> {
  const { answered, missing, problem } = await api.post(`/v1/tools/${id}/check`, undefined, CheckSeen);
  if (answered && missing.length === 0) return;
  throw new Error(`${name} can't be used: ${problem?.message ?? JSON.stringify(missing)}`);
}
