import { createHash } from 'node:crypto';
import { parseAddCheckpoint, TREE_SIZE, type AddCheckpoint } from '../../platform/audit/add-checkpoint.js';
import { checkpointOf, type Checkpoint } from '../../platform/audit/checkpoint.js';
import { withCosignatures, type Cosigner } from '../../platform/audit/cosignature.js';
import { NoteError, readNote, type NoteVerifier } from '../../platform/audit/signed-note.js';
import { isConsistent } from '../../platform/audit/tree-proofs.js';
import type { WitnessState } from './witness-state.js';

/** In the words of HTTP. */
export interface WitnessAnswer {
  status: number;
  type: string;
  text: string;
}

const EMPTY_TREE = createHash('sha256').digest();

/**
 * Cosigns what a log shows to be a continuation of what was cosigned before, and nothing else (c2sp.org/tlog-witness). Each
 * log is known by its key; nobody else can ask.
 */
export class CosigningWitness {
  private readonly logs: ReadonlyMap<string, NoteVerifier>;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cosigner: Cosigner,
    logs: readonly NoteVerifier[],
    private readonly state: WitnessState,
  ) {
    this.logs = new Map(logs.map((log) => [log.name, log]));
  }

  /** One after the other: between what is remembered and what is written nothing may come. */
  async addCheckpoint(body: string): Promise<WitnessAnswer> {
    const answer = this.turn.then(() => this.decide(body));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  /** What it cosigned last of a log, for whoever wants to hold the log against it. */
  checkpoint(originHash: string): WitnessAnswer {
    const note = this.state.checkpoint(originHash);
    return note === undefined ? said(404, 'I cosigned nothing of this log.') : said(200, note);
  }

  private async decide(body: string): Promise<WitnessAnswer> {
    const request = tried(() => parseAddCheckpoint(body));
    if (request instanceof NoteError) return said(400, request.message);
    const log = this.logs.get(request.checkpoint.slice(0, request.checkpoint.indexOf('\n')));
    if (!log) return said(404, 'I don’t know this log.');
    const text = tried(() => log.open(request.checkpoint));
    if (text instanceof NoteError) return said(403, text.message);
    const checkpoint = tried(() => checkpointOf(text));
    if (checkpoint instanceof NoteError) return said(400, checkpoint.message);
    const refusal = refusalOf(request, checkpoint, this.state.newest(log.name));
    if (refusal) return refusal;
    const line = this.cosigner.cosign(text, new Date());
    const own = readNote(request.checkpoint).signatures.find((one) => log.isNamedBy(one));
    await this.state.keep(log.name, withCosignatures(`${text}\n`, [own?.line ?? '', line]));
    return said(200, `${line}\n`);
  }
}

/** Whether the log can't go on so; null when it can. */
function refusalOf(
  { oldSize, proof }: AddCheckpoint,
  checkpoint: Checkpoint,
  newest: Checkpoint | null,
): WitnessAnswer | null {
  const before = newest ?? { size: 0, root: EMPTY_TREE };
  if (oldSize > checkpoint.size) return said(400, 'The old size is larger than the checkpoint’s.');
  if (oldSize !== before.size) return { status: 409, type: TREE_SIZE, text: `${before.size}\n` };
  if (checkpoint.size === 0 && !checkpoint.root.equals(EMPTY_TREE)) return said(422, 'An empty tree has another root.');
  if (!isConsistent(before, checkpoint, proof)) {
    return said(422, `It isn’t shown that this log begins with the ${before.size} entries that I cosigned.`);
  }
  return null;
}

function said(status: number, text: string): WitnessAnswer {
  return { status, type: 'text/plain; charset=utf-8', text: text.endsWith('\n') ? text : `${text}\n` };
}

function tried<T>(read: () => T): T | NoteError {
  try {
    return read();
  } catch (error) {
    if (error instanceof NoteError) return error;
    throw error;
  }
}
