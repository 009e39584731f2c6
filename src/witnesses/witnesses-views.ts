import { z } from 'zod';
import type { StoredCheckpoint } from '../platform/audit/cosigned-checkpoints.js';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import type { Witness } from './witness.entity.js';

export const WitnessView = z.object({
  id: z.uuid(),
  name: z.string(),
  key: z.string().describe('Its public key.'),
  url: z.string(),
  allowPrivateAddresses: z.boolean(),
  size: z.int().describe('How many entries the newest checkpoint speaks for that it cosigned; 0: none yet.'),
  cosignedAt: z.iso.datetime().nullable().describe('When it did, by its own clock.'),
  failingSince: z.iso.datetime().nullable(),
  problem: z.string().nullable(),
  addedAt: z.iso.datetime(),
});

export function witnessView(witness: Witness): z.infer<typeof WitnessView> {
  const { id, name, url, allowPrivateAddresses, size, problem } = witness;
  return {
    id,
    name,
    key: new CosignatureVerifier(name, witness.publicKey).toString(),
    url,
    allowPrivateAddresses,
    size,
    cosignedAt: witness.cosignedAt?.toISOString() ?? null,
    failingSince: witness.failingSince?.toISOString() ?? null,
    problem,
    addedAt: witness.addedAt.toISOString(),
  };
}

export const CheckpointView = z.object({
  size: z.int().describe('How many entries it speaks for.'),
  sealedAt: z.iso.datetime(),
  checkpoint: z
    .string()
    .describe('A C2SP signed note: the log’s signature, then the witnesses’ cosignatures. Keep it elsewhere.'),
});

export function checkpointView({ size, sealedAt, note }: StoredCheckpoint): z.infer<typeof CheckpointView> {
  return { size, sealedAt: sealedAt.toISOString(), checkpoint: note };
}
