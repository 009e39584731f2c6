import { z } from 'zod';
import type { Machine } from './enrol-node.service.js';
import { keepable } from './read-rows.js';

const Key = z.string().max(500).describe('The node’s own key, as it was given when it enrolled.');
const Details = z.record(z.string(), z.unknown());

/** osquery's wiki, `deployment/remote.md`, "Remote server API". What else an agent sends is left alone. */
export const EnrollRequest = z.object({
  enroll_secret: z.string().max(500).describe('Of the batch: `quartermaster osquery add-secret`.'),
  host_identifier: z.string().min(1).max(500),
  host_details: Details.optional().describe('`os_version`, `osquery_info`, `system_info` and `platform_info`.'),
});

export const NodeRequest = z.object({ node_key: Key });

export const LogRequest = z.object({
  node_key: Key,
  log_type: z.string().max(100).describe('`result` or `status`; anything else is taken and not looked at.'),
  data: z.array(z.unknown()),
});

export const WriteRequest = z.object({
  node_key: Key,
  queries: Details.describe('The rows of each query.'),
  statuses: Details.default({}).describe('0, or why a query failed.'),
  messages: Details.default({}),
});

const nodeInvalid = z.boolean().describe('True: this key opens nothing, so enrol again.');

export const NodeAnswer = z.object({ node_invalid: nodeInvalid });

export const EnrollAnswer = NodeAnswer.extend({ node_key: z.string().optional() });

export const ConfigAnswer = NodeAnswer.extend({
  schedule: z
    .record(
      z.string(),
      z.object({ query: z.string(), interval: z.int(), platform: z.string(), snapshot: z.literal(true) }),
    )
    .optional(),
});

export const ReadAnswer = NodeAnswer.extend({
  queries: z.record(z.string(), z.string()),
  discovery: z.record(z.string(), z.string()).optional(),
});

export function machineIn({ host_identifier, host_details = {} }: z.infer<typeof EnrollRequest>): Machine {
  const tell = (table: string, column: string): string | undefined => {
    const row = Details.safeParse(host_details[table]).data;
    const value = row?.[column];
    return typeof value === 'string' ? keepable(value.trim().slice(0, 200)) || undefined : undefined;
  };
  const system = [tell('os_version', 'name'), tell('os_version', 'version')].filter((part) => part !== undefined);
  return {
    hostIdentifier: keepable(host_identifier),
    hardwareUuid: tell('system_info', 'uuid'),
    serial: tell('system_info', 'hardware_serial'),
    hostname: tell('system_info', 'hostname') ?? tell('system_info', 'computer_name'),
    os: system.length === 0 ? undefined : system.join(' '),
    agentVersion: tell('osquery_info', 'version'),
  };
}
