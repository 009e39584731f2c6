import type { GrantRef } from '../../connectors/kit/contract.js';
import type { CaseKind, HoldReason, Lane, StepAct, StepEffect, StepState } from '../../src/cases/step-states.js';
import type { ExpectedAccess, Position } from '../model/expected-access.js';
import type { ToolWorld, Whose } from '../model/tool-world.js';

/** The rows that the engine's decisions read and write, as far as they matter to them. */
export interface SimPerson extends Whose {
  id: string;
  status: 'expected' | 'active' | 'left';
  generation: number;
  holds: SimHold[];
  employments: SimEmployment[];
  accounts: SimAccount[];
  steps: SimStep[];
  attempts: SimAttempt[];
  /** What the model says of them, told the same history. */
  expected: ExpectedAccess;
  /** When a revocation of an overtaken worker last landed, by tool: access may have been given again by then. */
  staleCutAt: Map<string, number>;
  /** When the newest decision about them was taken. */
  decidedAt: number;
}

export interface SimHold {
  id: string;
  reason: HoldReason;
  caseId: string;
}

export interface SimEmployment {
  id: string;
  department: string;
  endsAt: number | null;
  startApplied: boolean;
  endApplied: boolean;
  applied: Position;
}

export interface SimAccount {
  id: string;
  toolId: string;
  purpose: string;
  username: string;
  mark: string | null;
  externalId: string | null;
  desired: 'active' | 'suspended';
  observed: 'unknown' | 'absent' | 'active' | 'suspended';
  observedAt: number;
  grants: SimGrant[];
}

export interface SimGrant extends GrantRef {
  id: string;
  desired: 'present' | 'absent';
  observed: 'unknown' | 'present' | 'absent';
}

export interface SimCase {
  id: string;
  kind: CaseKind;
  lane: Lane;
  person: SimPerson;
  generation: number;
  open: boolean;
  steps: SimStep[];
  /** When a last look was loaded that ended well, by tool. */
  lookedAt: Map<string, number>;
}

export interface SimStep {
  id: string;
  case: SimCase;
  tool: SimTool;
  account: SimAccount | null;
  grant: SimGrant | null;
  act: StepAct;
  effect: StepEffect;
  state: StepState;
  lane: Lane;
  generation: number;
  needs: SimStep[];
  neededBy: SimStep[];
  dueAt: number;
  owner: SimWorker | null;
  leaseUntil: number;
  callDeadline: number;
  fence: number;
  failures: number;
  readBacks: number;
  crashes: number;
  loneCrashes: number;
  credentialVersion: string | null;
  inProgress: boolean;
  /** A person it waits for; the engine names one whenever it gives a step to people. */
  humanOwner: string | null;
  /** A person said yes to cutting an account that is not provably the subject's. */
  approved: boolean;
  /** The claim that holds it, by the simulation's own knowledge: what the fence has to protect. */
  claim: Claimed | null;
}

export interface SimAttempt {
  step: SimStep;
  kind: 'act' | 'read_back' | 'look';
  effect: StepEffect;
  tool: SimTool;
  worker: SimWorker;
  outcome: string | null;
  abandonedAt: number | null;
  callDeadline: number;
}

export interface SimTool {
  id: string;
  key: string;
  kind: 'api' | 'human';
  world: ToolWorld;
  /** 0: not paused. */
  pausedUntil: number;
  shared: SimBudget;
  reserved: SimBudget;
  steps: SimStep[];
}

export interface SimBudget {
  concurrency: number;
  callsPerSecond: number;
  burst: number;
  allowance: number;
  refilledAt: number;
}

export interface SimWorker {
  id: string;
  lane: 'emergency' | 'standard';
  alive: boolean;
  /** PostgreSQL has let go of its presence lock. */
  seenGone: boolean;
  /** The sweeper has put back what it held. */
  buried: boolean;
  frozen: boolean;
  /** When it last renewed its leases; null: it does so every second. */
  renewedAt: number | null;
  /** What it goes on with when it wakes up. */
  later: (() => void)[];
  holding: Set<SimStep>;
  /** Of these, those that it doesn't work on any more. */
  dropped: Set<SimStep>;
}

/** A worker's hold on a step for one run, and the attempt whose intent is written. */
export interface Claimed {
  step: SimStep;
  worker: SimWorker;
  fence: number;
  attempt: SimAttempt;
  readBacks: number;
}
