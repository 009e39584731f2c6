import { timingSafeEqual } from 'node:crypto';
import type { GrantRef } from '../../connectors/kit/contract.js';
import type { InstallationKey } from '../platform/crypto/installation-key.js';

/** The approval that let a held grant go, as the step carries it in its `input`. */
export interface StepApproval {
  approvalId: string;
  /** SHA-256 of the whole plan that was approved, in hex. */
  planHash: string;
  /** HMAC of this step, as it was approved, under the installation's key. */
  seal: string;
}

/** Everything that decides what a grant, a create or a restore does, and to whom. */
export interface StepContent {
  stepId: string;
  personId: string;
  toolId: string;
  accountId: string | null;
  act: string;
  generation: number;
  username: string;
  mark: string;
  grant: GrantRef | null;
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

/** Why a step that a brake held may not be sent; null: it was approved and is what was approved, or no brake held it. */
export function whyNotApproved(
  key: InstallationKey,
  input: Readonly<Record<string, unknown>>,
  step: StepContent,
): string | null {
  if (!('needsApproval' in input) && !('approval' in input)) return null;
  const approval = input['approval'];
  if (!isStepApproval(approval)) return 'A brake holds this step and nobody has approved it, although it is ready.';
  const expected = Buffer.from(sealStep(key, approval, step));
  const seal = Buffer.from(approval.seal);
  const isSame = seal.length === expected.length && timingSafeEqual(seal, expected);
  return isSame ? null : 'What was approved isn’t what would run: the step or its target has changed since.';
}

function isStepApproval(value: unknown): value is StepApproval {
  if (typeof value !== 'object' || value === null) return false;
  const { approvalId, planHash, seal } = value as Record<keyof StepApproval, unknown>;
  return typeof approvalId === 'string' && typeof planHash === 'string' && typeof seal === 'string';
}
