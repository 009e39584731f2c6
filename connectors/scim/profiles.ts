import type { ServiceProviderConfig } from './scim-resources.js';

/**
 * What differs between SCIM servers beyond what their ServiceProviderConfig tells, as data. A new vendor is a new
 * record here; the client has no branches by name.
 */
export interface ScimProfile {
  title: string;
  /** The server's documentation that this record was made from. */
  source: string;
  /** What a server can do that has no ServiceProviderConfig; null for one that has, as RFC 7644 section 4 wants. */
  features: ServiceProviderConfig | null;
  /** Attributes an `eq` filter may use, with the server's spelling of the e-mail path. */
  filters: { externalId: boolean; userName: boolean; email: 'emails.value' | 'emails' | 'email' | null };
  /** `path`: `{op, path: "active", value}`. `value`: `{op, value: {active}}`, for servers that don't read paths. */
  activePatch: 'path' | 'value';
  /** False where people sign in elsewhere (SAML, OIDC): no password is sent, and none can be reset here. */
  passwords: boolean;
  /** `deactivates`: DELETE only sets `active` to false, so an account can't be removed through SCIM. */
  delete: 'removes' | 'deactivates';
  /** Whether `GET /Me` tells who the token belongs to (RFC 7644, section 3.11). */
  me: boolean;
}

export const SCIM_PROFILES = {
  generic: {
    title: 'Any SCIM 2.0 server',
    source: 'RFC 7643, RFC 7644',
    features: null,
    filters: { externalId: true, userName: true, email: 'emails.value' },
    activePatch: 'path',
    passwords: true,
    delete: 'removes',
    me: true,
  },
  slack: {
    title: 'Slack (SCIM 2.0)',
    source: 'docs.slack.dev, “SCIM 2.0 API reference”: DELETE sets a user to deactivated',
    features: null,
    filters: { externalId: false, userName: true, email: 'email' },
    activePatch: 'path',
    passwords: false,
    delete: 'deactivates',
    me: false,
  },
  github: {
    title: 'GitHub Enterprise Cloud (organisation SCIM)',
    source: 'docs.github.com, “REST API endpoints for SCIM”: filters on userName, externalId and emails',
    // Its documentation names no ServiceProviderConfig; it does describe PATCH and filters.
    features: {
      patch: { supported: true },
      filter: { supported: true },
      changePassword: { supported: false },
      etag: { supported: false },
    },
    filters: { externalId: true, userName: true, email: 'emails' },
    activePatch: 'path',
    passwords: false,
    delete: 'removes',
    me: false,
  },
} as const satisfies Record<string, ScimProfile>;

export type ScimProfileName = keyof typeof SCIM_PROFILES;
