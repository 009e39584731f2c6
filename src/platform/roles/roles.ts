import { SCOPES, type Scope } from '../sign-in/actor.js';

/** What people are to this installation. A role is a set of scopes; which scope a route needs stands at the route. */
export const ROLES = [
  'viewer',
  'helpdesk',
  'hr',
  'it-operator',
  'approver',
  'security',
  'auditor',
  'connector-admin',
  'owner',
] as const;

export type Role = (typeof ROLES)[number];

const LOOKS: readonly Scope[] = [
  'people:read',
  'tools:read',
  'accounts:read',
  'devices:read',
  'cases:read',
  'alerts:read',
  'brakes:read',
];

/** A role by a sentence, and what it may do. Whatever is added to `SCOPES` is the owner's, and the auditor's when it reads. */
export const ROLE_DEFINITIONS: Record<Role, { purpose: string; scopes: readonly Scope[] }> = {
  viewer: { purpose: 'Looks at people, accounts, devices, cases and alerts.', scopes: LOOKS },
  helpdesk: {
    purpose: 'Helps people: gives out devices, resets credentials, hands them over, takes reports of lost devices.',
    scopes: [
      ...LOOKS,
      'devices:read-serials',
      'devices:write',
      'accounts:hand-over',
      'credentials:reset',
      'lost-devices:report',
    ],
  },
  hr: {
    purpose: 'Looks after people and their employments, and starts a leave that counts at once.',
    scopes: [
      'people:read',
      'people:read-terms',
      'people:write',
      'cases:read',
      'cases:write',
      'hr-events:read',
      'brakes:read',
      'approvals:read',
      'approvals:request',
    ],
  },
  'it-operator': {
    purpose: 'Runs the daily work: everything of the helpdesk, steps that need a person, access after a loss, alerts.',
    scopes: [
      ...LOOKS,
      'people:read-terms',
      'people:write',
      'devices:read-serials',
      'devices:read-recovery-keys',
      'devices:write',
      'images:write',
      'images:publish',
      'accounts:hand-over',
      'credentials:reset',
      'lost-devices:report',
      'lost-devices:decide',
      'access:restore',
      'steps:decide',
      'steps:confirm',
      'hr-events:read',
      'policy:read',
      'alerts:write',
      'metrics:read',
      'approvals:read',
      'approvals:request',
    ],
  },
  approver: {
    purpose: 'Looks at what others did or want to do, and confirms it; does nothing by themselves.',
    scopes: [...LOOKS, 'steps:confirm', 'policy:read', 'hr-events:read', 'approvals:read', 'approvals:decide'],
  },
  security: {
    purpose: 'Takes access away at once: leaves, losses, resets, lockdowns; reads recovery keys; sees who may do what.',
    scopes: [
      ...LOOKS,
      'people:read-terms',
      'devices:read-serials',
      'devices:read-recovery-keys',
      'devices:reveal-recovery-keys',
      'images:publish',
      'images:trust-keys',
      'cases:write',
      'credentials:reset',
      'lost-devices:report',
      'lost-devices:decide',
      'runbooks:write',
      'tools:lock-down',
      'steps:decide',
      'steps:confirm',
      'hr-events:read',
      'policy:read',
      'audit:read',
      'audit:write',
      'alerts:write',
      'roles:read',
      'tokens:read',
      'tokens:write',
      'security-keys:read',
      'approvals:read',
      'approvals:request',
      'approvals:decide',
    ],
  },
  auditor: {
    purpose: 'Reads everything and changes nothing.',
    scopes: SCOPES.filter((scope) => /:read(-|$)/.test(scope)),
  },
  'connector-admin': {
    purpose: 'Sets up tools and their connectors.',
    scopes: ['tools:read', 'tools:write', 'accounts:read', 'policy:read', 'alerts:read', 'metrics:read', 'tokens:read'],
  },
  owner: { purpose: 'May do everything, and says who else may do what.', scopes: SCOPES },
};

const KNOWN: ReadonlySet<string> = new Set(ROLES);

export function isRole(text: string): text is Role {
  return KNOWN.has(text);
}
