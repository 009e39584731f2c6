import { z } from 'zod';

/** What the connector reads of the server's answers; everything else is ignored. RFC 7643, sections 3 to 5. */
const text = z.string().nullish();
const meta = z.object({ lastModified: text, version: text }).nullish();
const reference = z.object({ value: text, display: text });

export const scimUser = z.object({
  id: z.string().min(1),
  externalId: text,
  userName: z.string(),
  // A server that doesn't show `active` has users that are always active (RFC 7643, section 4.1.1 leaves it optional).
  active: z.union([z.boolean(), z.stringbool()]).nullish(),
  emails: z.array(z.object({ value: text, primary: z.boolean().nullish() })).nullish(),
  groups: z.array(reference).nullish(),
  meta,
});
export type ScimUser = z.infer<typeof scimUser>;

export const scimGroup = z.object({
  id: z.string().min(1),
  displayName: z.string(),
  members: z.array(reference).nullish(),
  meta,
});
export type ScimGroup = z.infer<typeof scimGroup>;

export const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/**
 * RFC 7644, section 3.4.2, and RFC 9865, section 2. `Resources` may be absent when there are none; `totalResults` may be
 * when pages go by cursor, and the last of them has no `nextCursor`.
 */
export const listResponse = z.object({
  schemas: z.array(z.string()).refine((schemas) => schemas.includes(LIST_RESPONSE)),
  totalResults: z.int().nonnegative().nullish(),
  nextCursor: text,
  Resources: z.array(z.unknown()).default([]),
});

const supported = z.object({ supported: z.boolean() }).default({ supported: false });

const SERVICE_PROVIDER_CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';

/** RFC 7643, section 5; `pagination` from RFC 9865, section 4. */
export const serviceProviderConfig = z.object({
  schemas: z.array(z.string()).refine((schemas) => schemas.includes(SERVICE_PROVIDER_CONFIG)),
  patch: supported,
  filter: supported,
  changePassword: supported,
  etag: supported,
  pagination: z.object({ cursor: z.boolean().nullish() }).nullish(),
});
export type ServiceProviderConfig = Omit<z.infer<typeof serviceProviderConfig>, 'schemas'>;

/** The error keywords of RFC 7644, section 3.12, table 9, and RFC 9865: all that is shown of a server's error. */
const scimErrorKeyword = z.enum([
  'invalidFilter',
  'tooMany',
  'uniqueness',
  'mutability',
  'invalidSyntax',
  'invalidPath',
  'noTarget',
  'invalidValue',
  'invalidVers',
  'sensitive',
  'invalidCursor',
  'expiredCursor',
  'invalidCount',
]);

export function scimErrorCode(body: unknown): string | undefined {
  return z.object({ scimType: scimErrorKeyword }).safeParse(body).data?.scimType;
}
