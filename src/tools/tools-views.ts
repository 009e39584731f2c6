import { z } from 'zod';
import { capabilitiesOf } from '../../connectors/kit/capabilities.js';
import { CAPABILITIES, type Connector } from '../../connectors/kit/contract.js';
import { TOOL_ERROR_KINDS } from '../../connectors/kit/errors.js';
import { Instant } from '../platform/http/instant.js';
import type { ToolCheck } from './check-tool.service.js';
import { USERNAMES_FROM } from './stored-settings.js';
import type { ToolLimits } from './tool-budgets.js';
import { ENVIRONMENTS, TOOL_STATES, type Tool } from './tool.entity.js';

const NAME = z.string().trim().min(1).max(200);

const CapabilityView = z.object({ capability: z.enum(CAPABILITIES), permission: z.string() });

export const ToolSummary = z.object({
  id: z.uuid(),
  key: z.string().describe('Its name in the access policy.'),
  name: z.string(),
  connector: z.string(),
  environment: z.enum(ENVIRONMENTS),
  state: z.enum(TOOL_STATES),
  pausedUntil: z.iso.datetime().nullable(),
  pauseReason: z.string().nullable(),
  owners: z.array(z.string()),
  ownPrincipal: z.string().nullable().describe('Who the tool says we are; never a target.'),
  checkedAt: z.iso.datetime().nullable(),
  version: z.int(),
});

export const ToolView = ToolSummary.extend({
  settings: z.record(z.string(), z.unknown()),
  usernameFrom: z.enum(USERNAMES_FROM),
  secrets: z.array(z.string()).describe('Names of the secrets that are set; they are never shown.'),
  allowPrivateAddresses: z.boolean(),
  requiresSecondPerson: z.boolean(),
  maxConcurrency: z.int(),
  callsPerSecond: z.number(),
});

const changeable = {
  name: NAME,
  settings: z.record(z.string(), z.unknown()).describe('As the connector’s JSON Schema says; replaced as a whole.'),
  usernameFrom: z
    .enum(USERNAMES_FROM)
    .describe('How new accounts are named: the part of the address before the @, or all of it.'),
  secrets: z.record(z.string(), z.string().min(1).max(20_000)).describe('By name; sealed, and never shown again.'),
  allowPrivateAddresses: z.boolean(),
  requiresSecondPerson: z
    .boolean()
    .describe('For a tool without an API: what somebody did there by hand counts when another person confirms it.'),
  owners: z.array(z.email()).min(1).max(20).describe('Corporate addresses of those who answer for it.'),
  maxConcurrency: z.int().min(1).max(1000).describe('Calls at the same time, the emergency lane’s share included.'),
  callsPerSecond: z.number().min(0.01).max(10_000),
};

export const CreateTool = z.strictObject({
  ...z.object(changeable).partial().shape,
  key: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'This has to be lower-case letters, digits and hyphens, 63 at most.'),
  connector: NAME,
  environment: z.enum(ENVIRONMENTS),
  name: changeable.name,
  settings: changeable.settings,
  owners: changeable.owners,
});

export const ChangeTool = z.strictObject(changeable).partial();

export const PauseTool = z.strictObject({
  reason: z.string().trim().min(1).max(500),
  until: Instant.nullable().default(null).describe('Null: until somebody resumes it.'),
});

export const ToolsQueryFilters = { connector: NAME.optional(), state: z.enum(TOOL_STATES).optional() };

export const ToolCheckView = z.object({
  answered: z.boolean(),
  principal: z.string().nullable(),
  toolVersion: z.string().nullable(),
  missing: z.array(CapabilityView.extend({ remedy: z.string() })).describe('What these credentials may not do.'),
  problem: z
    .object({
      kind: z.enum(TOOL_ERROR_KINDS),
      message: z.string(),
      permission: z.string().nullable(),
      remedy: z.string().nullable(),
    })
    .nullable(),
  capabilities: z.array(CapabilityView),
});

export const ConnectorView = z.object({
  id: z.string(),
  title: z.string(),
  kind: z.enum(['api', 'human']).describe('`human`: no API; every act is somebody’s task.'),
  settings: z.record(z.string(), z.unknown()).describe('JSON Schema.'),
  secrets: z.record(z.string(), z.string()).describe('Secret fields, each with a sentence for a form.'),
  capabilities: z.array(CapabilityView),
});

export function toolSummary(tool: Tool): z.infer<typeof ToolSummary> {
  const { id, key, name, connector, environment, state, pauseReason, owners, ownPrincipal, version } = tool;
  const pausedUntil = tool.pausedUntil?.toISOString() ?? null;
  const checkedAt = tool.checkedAt?.toISOString() ?? null;
  return {
    id,
    key,
    name,
    connector,
    environment,
    state,
    pausedUntil,
    pauseReason,
    owners,
    ownPrincipal,
    checkedAt,
    version,
  };
}

export function toolView(tool: Tool, limits: ToolLimits): z.infer<typeof ToolView> {
  return {
    ...toolSummary(tool),
    settings: tool.settings.connector,
    usernameFrom: tool.settings.usernameFrom,
    secrets: Object.keys(tool.secretIds.ids),
    allowPrivateAddresses: tool.allowPrivateAddresses,
    requiresSecondPerson: tool.requiresSecondPerson,
    ...limits,
  };
}

export function toolCheckView({ report, problem, capabilities }: ToolCheck): z.infer<typeof ToolCheckView> {
  return {
    answered: report !== null,
    principal: report?.principal ?? null,
    toolVersion: report?.version ?? null,
    missing: [...(report?.missing ?? [])],
    problem,
    capabilities: [...capabilities],
  };
}

export function connectorView(connector: Connector): z.infer<typeof ConnectorView> {
  const { id, title, kind, secrets } = connector;
  const settings = z.toJSONSchema(connector.settings, { io: 'input' });
  return { id, title, kind, settings, secrets, capabilities: [...capabilitiesOf(connector)] };
}
