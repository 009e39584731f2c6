import { checkProof } from '../platform/audit/log-proof.js';
import type { NoteVerifier } from '../platform/audit/signed-note.js';
import type { EvidencePack } from './evidence-pack.js';

/**
 * Holds each audit entry of a pack against its proof and the log's key, and the pack's own words against the entries.
 * @returns what isn't right; nothing when all is
 * @throws NoteError at the first proof that doesn't hold
 */
export function verifyPack(pack: EvidencePack, verifier: NoteVerifier): string[] {
  const leaves = pack.log.entries.map(({ leaf, index, hashes }) => {
    const bytes = hashes.map((hash) => Buffer.from(hash, 'base64'));
    checkProof({ leaf, index, hashes: bytes, checkpoint: pack.log.checkpoint }, verifier);
    return JSON.parse(leaf) as { action: string; caseId: string | null; stepId: string | null };
  });
  const has = (action: string, stepId: string | null = null) =>
    leaves.some((leaf) => leaf.action === action && leaf.stepId === stepId);
  return [
    ...leaves.filter(({ caseId }) => caseId !== pack.case.id).map(({ action }) => `${action} is of another case.`),
    ...leaves
      .filter(({ stepId }) => stepId !== null && !pack.steps.some(({ id }) => id === stepId))
      .map(({ action, stepId }) => `Step ${stepId}, of which ${action} was sealed, is missing from the case.`),
    ...(has('case.opened') ? [] : ['No sealed entry says that the case was opened.']),
    ...(pack.case.state === 'closed' && !has('case.closed') ? ['No sealed entry says that the case was closed.'] : []),
    ...pack.steps
      .filter(({ state, id }) => (state === 'done' || state === 'waived') && !has(`step.${state}`, id))
      .map(({ id, state, toolName }) => `No sealed entry says that step ${id} (${toolName}) is ${state}.`),
  ];
}
