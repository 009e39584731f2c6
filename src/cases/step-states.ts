/** The states of a step: closed, and the same in code, database and UI. */
export const STEP_STATES = [
  'planned',
  'held',
  'ready',
  'running',
  'confirming',
  'done',
  'needs_human',
  'superseded',
  'waived',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** Where a step may go from where. The database keeps the same table by a trigger (migration `cases`). */
export const STEP_TRANSITIONS = {
  planned: ['ready', 'held', 'needs_human', 'superseded', 'waived'],
  held: ['planned', 'ready', 'superseded', 'waived'],
  ready: ['running', 'held', 'needs_human', 'superseded'],
  running: ['confirming', 'done', 'ready', 'needs_human', 'superseded'],
  confirming: ['done', 'ready', 'needs_human', 'superseded'],
  needs_human: ['ready', 'confirming', 'done', 'waived', 'superseded'],
  done: [],
  superseded: [],
  waived: [],
} as const satisfies Record<StepState, readonly StepState[]>;

/** Nothing more will happen to a step in one of these. */
export const FINISHED: readonly StepState[] = ['done', 'superseded', 'waived'];

/** A newer generation replaces grants in one of these. What was sent is read back to its end. */
export const SUPERSEDABLE: readonly StepState[] = ['planned', 'held', 'ready', 'needs_human'];

export const STEP_ACTS = [
  'discover',
  'create_account',
  'grant',
  'restore_account',
  'suspend_account',
  'withdraw',
  'reset_credentials',
  'revoke_device',
  'final_look',
] as const;
export type StepAct = (typeof STEP_ACTS)[number];

/**
 * What an act does to access. Only a `grant` may be superseded, and only a `grant` is refused by a hold; a `revoke` is
 * carried through whatever comes after it; a `look` changes nothing at the tool.
 */
export type StepEffect = 'grant' | 'revoke' | 'look';

export const EFFECT_OF = {
  discover: 'look',
  final_look: 'look',
  create_account: 'grant',
  grant: 'grant',
  restore_account: 'grant',
  suspend_account: 'revoke',
  withdraw: 'revoke',
  reset_credentials: 'revoke',
  revoke_device: 'revoke',
} as const satisfies Record<StepAct, StepEffect>;

/** The urgent lane first. A lane is a share of every tool's budget and a process (or queue) of its own. */
export const LANES = ['emergency', 'standard', 'bulk'] as const;
export type Lane = (typeof LANES)[number];

export const CASE_KINDS = [
  'joiner',
  'mover',
  'leaver',
  'rehire',
  'lost_device',
  'credential_reset',
  'restoration',
] as const;
export type CaseKind = (typeof CASE_KINDS)[number];

export const HOLD_REASONS = ['leaver', 'lost_device'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];
