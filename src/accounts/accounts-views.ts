import { z } from 'zod';
import { ACCOUNT_KINDS, DESIRED_STATES, OBSERVED_STATES, type Account } from './account.entity.js';
import { CREDENTIAL_KINDS, CREDENTIAL_STATES, type Credential } from './credential.entity.js';
import { DESIRED_PRESENCES, GRANT_KINDS, OBSERVED_PRESENCES, type Grant } from './grant.entity.js';
import { SESSION_STATES, type Session } from './session.entity.js';

export const AccountView = z.object({
  id: z.uuid(),
  toolId: z.uuid(),
  personId: z.uuid().nullable(),
  kind: z.enum(ACCOUNT_KINDS),
  purpose: z.string(),
  username: z.string(),
  externalId: z.string().nullable(),
  desiredState: z.enum(DESIRED_STATES),
  observedState: z.enum(OBSERVED_STATES),
  observedAt: z.iso.datetime().nullable().describe('When the tool last showed it.'),
  observedSource: z
    .string()
    .nullable()
    .describe(
      'What it is known by, as in `read-back`; `attested by` and a name where a person says so and no tool can.',
    ),
  liveSessions: z.int().nullable().describe('Null: the tool can’t show them.'),
  residualUntil: z.iso.datetime().nullable().describe('Until when the tool may still honour what was issued before.'),
  credentialsResetAt: z.iso.datetime().nullable(),
  version: z.int(),
});

const GrantView = z.object({
  id: z.uuid(),
  kind: z.enum(GRANT_KINDS),
  name: z.string(),
  desired: z.enum(DESIRED_PRESENCES),
  observed: z.enum(OBSERVED_PRESENCES),
  observedAt: z.iso.datetime().nullable(),
});

const SessionView = z.object({
  id: z.uuid(),
  externalId: z.string(),
  state: z.enum(SESSION_STATES),
  firstSeenAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});

const CredentialView = z.object({
  id: z.uuid(),
  kind: z.enum(CREDENTIAL_KINDS),
  state: z.enum(CREDENTIAL_STATES),
  deviceId: z.uuid().nullable(),
  issuedAt: z.iso.datetime(),
  observedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
});

export const AccountDetails = AccountView.extend({
  grants: z.array(GrantView),
  sessions: z.array(SessionView),
  credentials: z.array(CredentialView).describe('Without their secrets, which are never shown here.'),
});

export const AccountsQueryFilters = {
  personId: z.uuid().optional(),
  toolId: z.uuid().optional(),
  observedState: z.enum(OBSERVED_STATES).optional(),
  desiredState: z.enum(DESIRED_STATES).optional(),
  nobodys: z.literal('true').optional().describe('Those that were found at the tool and belong to nobody.'),
};

export const CredentialLinkView = z.object({
  url: z.url().describe('Works once; give it to the person and to nobody else.'),
  expiresAt: z.iso.datetime(),
});

export function accountView(account: Account): z.infer<typeof AccountView> {
  const { id, toolId, personId, kind, purpose, username, externalId, desiredState, observedState } = account;
  const { observedSource, liveSessions, version } = account;
  return {
    id,
    toolId,
    personId,
    kind,
    purpose,
    username,
    externalId,
    desiredState,
    observedState,
    observedAt: iso(account.observedAt),
    observedSource,
    liveSessions,
    residualUntil: iso(account.residualUntil),
    credentialsResetAt: iso(account.credentialsResetAt),
    version,
  };
}

export function grantView(grant: Grant): z.infer<typeof GrantView> {
  const { id, kind, name, desired, observed } = grant;
  return { id, kind, name, desired, observed, observedAt: iso(grant.observedAt) };
}

export function sessionView(session: Session): z.infer<typeof SessionView> {
  const { id, externalId, state, firstSeenAt, lastSeenAt } = session;
  return {
    id,
    externalId,
    state,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    endedAt: iso(session.endedAt),
  };
}

export function credentialView(credential: Credential): z.infer<typeof CredentialView> {
  const { id, kind, state, deviceId, issuedAt } = credential;
  return {
    id,
    kind,
    state,
    deviceId,
    issuedAt: issuedAt.toISOString(),
    observedAt: iso(credential.observedAt),
    revokedAt: iso(credential.revokedAt),
  };
}

function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
