import { z } from 'zod';

/** Fleet’s REST API, `docs/REST API/rest-api.md`; only what is used of each answer. “Never” is the year 2000, or Go’s zero. */
const instant = z
  .string()
  .nullish()
  .transform((text) => {
    const at = new Date(text ?? Number.NaN);
    return Number.isNaN(at.getTime()) || at.getUTCFullYear() <= 2000 ? null : at;
  });

const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || null);

const host = z.object({
  id: z.int(),
  hostname: text,
  display_name: text,
  hardware_serial: text,
  platform: text,
  os_version: text,
  osquery_version: text,
  status: text,
  seen_time: instant,
  detail_updated_at: instant,
  mdm: z.object({ encryption_key_available: z.boolean().nullish() }).nullish(),
});

export type FleetHost = z.infer<typeof host>;

export const hostsPage = z.object({ hosts: z.array(host).nullable() });

/** “Get host”. */
export const hostDetails = z.object({
  host: host.extend({
    /** Left out while nothing is known, and on some kinds of Linux when the disk isn’t encrypted (`server/fleet/hosts.go`). */
    disk_encryption_enabled: z.boolean().nullish(),
    /** Of its fleetd; null while nobody knows. */
    scripts_enabled: z.boolean().nullish(),
    mdm: z
      .object({
        encryption_key_available: z.boolean().nullish(),
        enrollment_status: text,
        connected_to_fleet: z.boolean().nullish(),
        device_status: text,
        pending_action: text,
      })
      .nullish(),
  }),
});

export type FleetHostDetails = z.infer<typeof hostDetails>['host'];

/** “Get host’s disk encryption key”. */
export const encryptionKey = z.object({
  host_id: z.int(),
  encryption_key: z.object({ key: z.string().min(1), updated_at: instant }),
});

const user = z.object({ id: z.int(), email: z.string(), global_role: z.string().nullish() });

export type FleetUser = z.infer<typeof user>;

export const oneUser = z.object({ user });
export const users = z.object({ users: z.array(user).nullable() });
export const version = z.object({ version: z.string() });

/** “Get host’s past activity”: what people asked for. None of it says what the device did. */
export const activities = z.object({
  activities: z.array(z.object({ type: z.string(), created_at: instant, actor_email: text })).nullable(),
});
