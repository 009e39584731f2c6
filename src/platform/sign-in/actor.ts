import type { Reach } from '../roles/reach.js';

/** Everything a caller may be allowed to do. A route names exactly one. */
export const SCOPES = [
  'people:read',
  /** The title, and the end of an employment. */
  'people:read-terms',
  'people:write',
  'tools:read',
  'tools:write',
  'tools:lock-down',
  'accounts:read',
  'accounts:hand-over',
  'devices:read',
  'devices:read-serials',
  /** That a directory keeps a recovery key, never the key. */
  'devices:read-recovery-keys',
  'devices:write',
  'devices:reveal-recovery-keys',
  /** Versions that are drafts, with their content. */
  'images:write',
  /** Which version is to be used, and which no more. */
  'images:publish',
  /** Whose signature a version needs: who may publish is not to be who says that. */
  'images:trust-keys',
  'cases:read',
  'cases:write',
  'lost-devices:report',
  /** Lock or wipe, and what of a breach is notified. */
  'lost-devices:decide',
  'runbooks:write',
  'credentials:reset',
  'access:restore',
  'steps:decide',
  /** Of what another person did by hand. */
  'steps:confirm',
  'brakes:read',
  'brakes:write',
  'approvals:read',
  'approvals:request',
  'approvals:decide',
  'hr-events:read',
  /** Whoever holds a source's secret says who joins and who leaves. */
  'hr-sources:write',
  'policy:read',
  /** Entries of the audit log as they were sealed, with everything that stands in them. */
  'audit:read',
  /** Who cosigns the audit log. */
  'audit:write',
  'alerts:read',
  'alerts:write',
  'metrics:read',
  'roles:read',
  'roles:write',
  'tokens:read',
  'tokens:write',
  /** Who has which security keys. */
  'security-keys:read',
  /** Removing somebody else's: from then on their sign-in at the provider is enough again. */
  'security-keys:write',
] as const;

export type Scope = (typeof SCOPES)[number];

/** People, API tokens, HR sources, and the service itself. */
export type ActorKind = 'admin' | 'service' | 'hr' | 'system';

/** Who does something: the audit log and every query know it. */
export interface Actor {
  kind: ActorKind;
  /** Stable id: of the token, of the browser session's admin, of the HR source, of the process. */
  id: string;
  name: string;
  /** Who it is, or whose token it is, among the people whose access is looked after here, where that is known. */
  personId?: string;
  /** What they may do; within a request, what they may do wherever they may do what the route is for. */
  scopes: readonly Scope[];
  /** Of somebody's own token: its maker, who has to hold the scopes still. */
  boundTo?: string;
  /** Where: undefined is everywhere. Set by the guard for the scope of the route that is called. */
  reach?: Reach;
  /** Where it comes from; not there for what the service does by itself. */
  from?: Origin;
}

/** From where something is asked, for the audit log. */
export interface Origin {
  via: 'rest' | 'webhook' | 'terminal';
  /** As in the answer's `X-Request-Id`. */
  requestId?: string;
  /** Of the network, behind a proxy the proxy's; at a terminal the machine's name. */
  address?: string;
  /** Whom a program acts for: the owner of its token. */
  onBehalfOf?: string;
}

/** The service acting by itself: a schedule that came due, a discovery that found something. */
export const SYSTEM: Actor = { kind: 'system', id: 'system', name: 'Quartermaster', scopes: [] };
