import { timingSafeEqual } from 'node:crypto';
import type { GrantRef } from '../../connectors/kit/contract.js';
import type { InstallationKey } from '../platform/crypto/installation-key.js';
import { EFFECT_OF, type StepAct } from './step-states.js';

/** The approval that let a held grant go, as the step carries it in its `input`. */
export interface StepApproval {
  approvalId: string;
  /** SHA-256 of the whole plan that was approved, in hex. */
  planHash: string;
  /** HMAC of this step, as it was approved, under the installation's key. */
  seal: string;
  /** At which account of the tool, sealed apart from the rest: the version before knows `seal` only. */
  place?: ApprovedPlace;
}

/** The account at the tool that an approved step is sent to. */
interface ApprovedPlace {
  /** The tool's stable id; null: nobody had seen the account, or the case makes it anew. */
  externalId: string | null;
  /** HMAC over the step's own seal and this. */
  seal: string;
}

/**
 * What is done only as it was approved, once a brake had held it: whatever gives access, and the new credentials with which
 * a restored account comes back. What takes access away goes on, whatever became of its approval.
 */
export function takesApproval(act: StepAct): boolean {
  return EFFECT_OF[act] === 'grant' || act === 'reset_credentials';
}

/** Everything that decides what such a step does, and to whom. */
export interface StepContent {
  stepId: string;
  personId: string;
  toolId: string;
  accountId: string | null;
  act: StepAct;
  generation: number;
  username: string;
  mark: string;
  grant: GrantRef | null;
  /** The account's stable id at the tool; sealed as the step's place. */
  externalId: string | null;
}

export function sealStep(
  key: InstallationKey,
  { approvalId, planHash }: Pick<StepApproval, 'approvalId' | 'planHash'>,
  step: StepContent,
): string {
  const { stepId, personId, toolId, accountId, act, generation, username, mark, grant } = step;
  const content = [approvalId, planHash, stepId, personId, toolId, accountId, act, generation, username, mark];
  const signed = JSON.stringify([...content, grant?.kind ?? null, grant?.name ?? null]);
  return key.mac('approved-step', Buffer.from(signed, 'utf8')).toString('hex');
}

/** @param seal the step's own, so that no place is good for another step */
export function sealPlace(key: InstallationKey, seal: string, externalId: string | null): ApprovedPlace {
  const signed = JSON.stringify([seal, externalId]);
  return { externalId, seal: key.mac('approved-place', Buffer.from(signed, 'utf8')).toString('hex') };
}

/** Why a step that a brake held may not be sent; null: it was approved and is what was approved, or no brake held it. */
export function whyNotApproved(
  key: InstallationKey,
  input: Readonly<Record<string, unknown>>,
  step: StepContent,
): string | null {
  if (!('needsApproval' in input) && !('approval' in input)) return null;
  const approval = input['approval'];
  if (!isStepApproval(approval)) return 'A brake holds this step and nobody has approved it, although it is ready.';
  const isSame = isEqual(approval.seal, sealStep(key, approval, step)) && isInPlace(key, approval, step);
  return isSame ? null : 'What was approved isn’t what would run: the step or its target has changed since.';
}

/** What the version before let go has no place: of what it sealed, that is good enough for what makes an account. */
function isInPlace(key: InstallationKey, { seal, place }: StepApproval, { act, externalId }: StepContent): boolean {
  if (place === undefined) return act === 'create_account' || act === 'grant';
  if (!isEqual(place.seal, sealPlace(key, seal, place.externalId).seal)) return false;
  return place.externalId === null || place.externalId === externalId;
}

function isEqual(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function isStepApproval(value: unknown): value is StepApproval {
  if (typeof value !== 'object' || value === null) return false;
  const { approvalId, planHash, seal, place } = value as Record<keyof StepApproval, unknown>;
  const isSealed = typeof approvalId === 'string' && typeof planHash === 'string' && typeof seal === 'string';
  return isSealed && (place === undefined || isPlace(place));
}

function isPlace(value: unknown): value is ApprovedPlace {
  if (typeof value !== 'object' || value === null) return false;
  const { externalId, seal } = value as Record<keyof ApprovedPlace, unknown>;
  return typeof seal === 'string' && (externalId === null || typeof externalId === 'string');
}
