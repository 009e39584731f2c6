import { addCheckpointText, TREE_SIZE, type AddCheckpoint } from '../platform/audit/add-checkpoint.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import type { Cosignature, CosignatureVerifier } from '../platform/audit/cosignature.js';
import { NoteError } from '../platform/audit/signed-note.js';
import { postOnce } from '../platform/outbound/post-once.js';

export interface AskedWitness {
  url: string;
  allowPrivateAddresses: boolean;
  verifier: CosignatureVerifier;
}

/** It doesn't cosign, and that says nothing about the log: it doesn't know it, or has a trouble of its own. */
export class WitnessRefusal extends Error {
  override readonly name = 'WitnessRefusal';
}

/** What it answered can't be believed. */
export class UntrustedAnswer extends Error {
  override readonly name = 'UntrustedAnswer';
}

/** Milliseconds for one question. */
const PATIENCE = 5_000;
/** By so much its clock may differ from ours: a cosignature is worth no more than its time. */
const CLOCKS_DIFFER = 600_000;

/**
 * Asks a witness to cosign a checkpoint (c2sp.org/tlog-witness).
 *
 * @returns what it signed, verified; or how large the log was that it cosigned last, where it isn't `oldSize`
 * @throws BrokenLog when it says that the log isn't the one it has seen; UntrustedAnswer; WitnessRefusal; NotReached
 */
export async function askWitness(
  { url, allowPrivateAddresses, verifier }: AskedWitness,
  request: AddCheckpoint,
): Promise<{ cosignature: Cosignature } | { hasSize: number }> {
  const { status, type, text } = await postOnce(
    new URL(`${url.replace(/\/+$/, '')}/add-checkpoint`),
    { type: 'text/plain; charset=utf-8', text: addCheckpointText(request) },
    { allowPrivateAddresses, signal: AbortSignal.timeout(PATIENCE) },
  );
  switch (status) {
    case 200:
      return { cosignature: believed(verifier, request.checkpoint, text) };
    case 403:
      throw new WitnessRefusal('It answered 403: it knows another key for this log, or none. Give it the right one.');
    case 404:
      throw new WitnessRefusal('It answered 404: it doesn’t know this log, or isn’t at this address.');
    case 409:
      if (type === TREE_SIZE && /^\d{1,15}\n?$/.test(text)) return { hasSize: Number(text) };
      throw new WitnessRefusal('It answered 409, and not how large the log was that it saw.');
    case 422:
      throw new BrokenLog(`It saw another log: its ${request.oldSize} entries aren’t the beginning of this one.`);
    default:
      throw new WitnessRefusal(`It answered ${status}.`);
  }
}

/** Only its own line is taken, and only when it is right. */
function believed(verifier: CosignatureVerifier, checkpoint: string, answer: string): Cosignature {
  let cosignature: Cosignature | null;
  try {
    cosignature = verifier.read(`${checkpoint}${answer}`);
  } catch (error) {
    if (error instanceof NoteError) throw new UntrustedAnswer(error.message);
    throw error;
  }
  if (!cosignature) throw new UntrustedAnswer(`It signed with another key than ${verifier.toString()}.`);
  const { at } = cosignature;
  if (Math.abs(at.getTime() - Date.now()) > CLOCKS_DIFFER) {
    throw new UntrustedAnswer(`It says that it is ${at.toISOString()}: its clock and ours differ too much.`);
  }
  return cosignature;
}
