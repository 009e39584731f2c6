import { z } from 'zod';

/** How accounts are named at a tool: see `src/accounts/username.ts`. */
export const USERNAMES_FROM = ['local-part', 'email'] as const;

/** What `tools.settings` holds: the connector's own settings apart from ours. */
export const STORED_SETTINGS = z.object({
  usernameFrom: z.enum(USERNAMES_FROM),
  /** What was sent, after the connector's schema has taken it; parsed by it again at each use. */
  connector: z.record(z.string(), z.unknown()),
});
export type StoredSettings = z.infer<typeof STORED_SETTINGS>;

/** What `tools.secret_ids` holds. */
export const STORED_SECRETS = z.object({
  /** Ids of sealed secrets by the connector's name of the field. */
  ids: z.record(z.string(), z.uuid()),
  /** Where the connector said that the secrets go, when they were saved; they are sent nowhere else. */
  savedFor: z.string().nullable(),
});
export type StoredSecrets = z.infer<typeof STORED_SECRETS>;
