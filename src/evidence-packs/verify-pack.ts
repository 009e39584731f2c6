import { checkProof } from '../platform/audit/log-proof.js';
import type { NoteVerifier } from '../platform/audit/signed-note.js';
import { z } from 'zod';
import type { EvidencePack } from './evidence-pack.js';

const Leaf = z.looseObject({
  action: z.string(),
  subject: z.object({ kind: z.string(), id: z.string() }).nullable(),
  caseId: z.string().nullable(),
  stepId: z.string().nullable(),
  facts: z.record(z.string(), z.unknown()),
});
type Leaf = z.infer<typeof Leaf>;

/**
 * Holds each audit entry of a pack against its proof and the log's key, and the pack's own words against the entries.
 * @returns what isn't right; nothing when all is
 * @throws NoteError at the first proof that doesn't hold
 */
export function verifyPack(pack: EvidencePack, verifier: NoteVerifier): string[] {
  const leaves = pack.log.entries.map(({ leaf, index, hashes }) => {
    const bytes = hashes.map((hash) => Buffer.from(hash, 'base64'));
    checkProof({ leaf, index, hashes: bytes, checkpoint: pack.log.checkpoint }, verifier);
    return Leaf.parse(JSON.parse(leaf));
  });
  const isOfTheCase = belonging(leaves, pack.case.id);
  const has = (action: string, stepId: string | null = null) =>
    leaves.some((leaf) => leaf.action === action && leaf.stepId === stepId);
  return [
    ...leaves.filter((leaf) => !isOfTheCase(leaf)).map(({ action }) => `${action} is of another case.`),
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

/** The case's own entries; those of a brake that names the case among what it let go or gave up; and of approvals of that. */
function belonging(leaves: readonly Leaf[], caseId: string): (leaf: Leaf) => boolean {
  const brakes = leaves
    .filter(({ facts }) => Array.isArray(facts['cases']) && facts['cases'].includes(caseId))
    .map(({ subject }) => subject?.id);
  return ({ caseId: its, subject, facts }) =>
    its === caseId ||
    (subject?.kind === 'brake' && brakes.includes(subject.id)) ||
    (subject?.kind === 'approval' && brakes.includes(String(facts['targetId'])));
}
