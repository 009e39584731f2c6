import type { ServiceProviderConfig } from './scim-resources.js';

/**
 * What differs between SCIM servers beyond what their ServiceProviderConfig tells, as data. A new vendor is a new
 * record here; the client has no branches by name.
 */
export interface ScimProfile {
  title: string;
  /** The server's documentation that this record was made from, and what it says. */
  source: string;
  /** What a server can do that has no ServiceProviderConfig; null for one that has, as RFC 7644 section 4 wants. */
  features: ServiceProviderConfig | null;
  /**
   * Attributes an `eq` filter may use, with the server's spelling of the e-mail path. What may not be filtered for is
   * looked for in the whole list, so `false` is slow and never wrong.
   */
  filters: { externalId: boolean; userName: boolean; email: 'emails.value' | 'emails' | 'email' | null };
  /** `path`: `{op, path: "active", value}`. `value`: `{op, value: {active}}`, for servers that don't read paths. */
  activePatch: 'path' | 'value';
  /** False where people sign in elsewhere (SAML, OIDC): no password is sent, and none can be reset here. */
  passwords: boolean;
  /**
   * `deactivates`: DELETE leaves the account behind, switched off. `untold`: the documentation doesn't say. Either way an
   * account isn't removed through SCIM.
   */
  delete: 'removes' | 'deactivates' | 'untold';
  /** Whether `GET /Me` tells who the token belongs to (RFC 7644, section 3.11). */
  me: boolean;
  /** False where there are no groups, or nobody can see who is in one: granting is then a person's task. */
  groups: boolean;
  /** `announced`: as the ServiceProviderConfig says (RFC 9865, section 4), by index where it says nothing. */
  paging: 'announced' | 'cursor';
  /** The most that a page holds, where asking for more is an error or quietly cut; null: not known to be limited. */
  maxPageSize: number | null;
}

/** As the RFCs have it. */
const BY_THE_BOOK = {
  features: null,
  filters: { externalId: true, userName: true, email: 'emails.value' },
  activePatch: 'path',
  passwords: true,
  delete: 'removes',
  me: true,
  groups: true,
  paging: 'announced',
  maxPageSize: null,
} as const satisfies Omit<ScimProfile, 'title' | 'source'>;

/** A service whose people sign in at the company's identity provider; the token belongs to an integration. */
const SINGLE_SIGN_ON = {
  ...BY_THE_BOOK,
  filters: { externalId: false, userName: true, email: null },
  passwords: false,
  me: false,
} as const satisfies Omit<ScimProfile, 'title' | 'source'>;

export const SCIM_PROFILES = {
  generic: { ...BY_THE_BOOK, title: 'Any SCIM 2.0 server', source: 'RFC 7643, RFC 7644, RFC 9865' },
  slack: {
    ...SINGLE_SIGN_ON,
    title: 'Slack (SCIM 2.0)',
    source: 'docs.slack.dev/reference/scim-api: DELETE “sets a Slack user to deactivated”',
    filters: { externalId: false, userName: true, email: 'email' },
    delete: 'deactivates',
  },
  github: {
    ...SINGLE_SIGN_ON,
    title: 'GitHub Enterprise Cloud (organisation SCIM)',
    source:
      'docs.github.com/rest/reference/scim: filters on userName, externalId and emails; users only, and no discovery',
    // It describes PATCH and filters, and names no ServiceProviderConfig.
    features: {
      patch: { supported: true },
      filter: { supported: true },
      changePassword: { supported: false },
      etag: { supported: false },
    },
    filters: { externalId: true, userName: true, email: 'emails' },
    groups: false,
  },
  atlassian: {
    ...SINGLE_SIGN_ON,
    title: 'Atlassian Cloud (user provisioning)',
    source:
      'support.atlassian.com/atlassian-cloud/kb/how-to-filter-users-in-provisioning-scim-using-rest-api: filters on userName and ' +
      'externalId; …/how-to-fetch-all-users-via-user-provisioning-scim-api: pages of 100 by startIndex. Its reference of DELETE: ' +
      'the user is unlinked from the directory and deactivated',
    filters: { externalId: true, userName: true, email: null },
    delete: 'deactivates',
    maxPageSize: 100,
  },
  zoom: {
    ...SINGLE_SIGN_ON,
    title: 'Zoom (SCIM2)',
    source: 'developers.zoom.us/docs/api/rest/scim-api: needs single sign-on; Accept: application/scim+json',
    delete: 'untold',
  },
  onePassword: {
    ...SINGLE_SIGN_ON,
    title: '1Password (SCIM Bridge)',
    source:
      'support.1password.com/scim-endpoints: Users, Groups and ServiceProviderConfig below /scim; support.1password.com/scim: ' +
      'deprovisioned users are suspended',
    delete: 'deactivates',
  },
  awsIdentityCenter: {
    ...SINGLE_SIGN_ON,
    title: 'AWS IAM Identity Center',
    source:
      'docs.aws.amazon.com/singlesignon/latest/developerguide/listusers.html: no startIndex, pages of 100 by cursor, filters on ' +
      'userName and externalId; …/limitations.html: no /Me, no password; groups are listed without their members',
    filters: { externalId: true, userName: true, email: null },
    groups: false,
    paging: 'cursor',
    maxPageSize: 100,
  },
  hcpTerraform: {
    ...SINGLE_SIGN_ON,
    title: 'HCP Terraform',
    source:
      'developer.hashicorp.com/terraform/cloud-docs/api-docs/scim/users: filters on userName and externalId, count is cut at 200',
    filters: { externalId: true, userName: true, email: null },
    delete: 'untold',
    maxPageSize: 200,
  },
  tines: {
    ...SINGLE_SIGN_ON,
    title: 'Tines',
    source: 'tines.com/api/scim: DELETE disables the user, who is deleted by another API',
    delete: 'deactivates',
  },
} as const satisfies Record<string, ScimProfile>;

export type ScimProfileName = keyof typeof SCIM_PROFILES;
