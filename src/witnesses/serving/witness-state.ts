import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { checkpointOf, type Checkpoint } from '../../platform/audit/checkpoint.js';
import type { CosignatureVerifier } from '../../platform/audit/cosignature.js';
import { replaceFile } from '../../platform/audit/replace-file.js';
import { NoteError, readNote } from '../../platform/audit/signed-note.js';
import { writePrivateFile } from '../../platform/crypto/private-file.js';

/** What a witness remembers can't be read, or isn't its own. */
export class WitnessStateError extends Error {
  override readonly name = 'WitnessStateError';
}

const FORMAT = 'quartermaster-witness-1';
const State = z.strictObject({
  format: z.literal(FORMAT),
  witness: z.string(),
  logs: z.record(z.string(), z.string()),
});

/**
 * The newest checkpoint of each log that a witness cosigned, in a file. A witness that forgot one would cosign another
 * log: so there is no beginning anew, and nothing is answered before the file is on the disk.
 */
export class WitnessState {
  private constructor(
    private readonly file: string,
    private readonly witness: CosignatureVerifier,
    private text: string,
    private logs: ReadonlyMap<string, string>,
  ) {}

  /** An empty one, for a new key; never over a file that is there. @throws KeyFileError */
  static async create(file: string, witness: CosignatureVerifier): Promise<void> {
    await writePrivateFile(file, 'state', textOf(witness, new Map()));
  }

  /** @throws WitnessStateError */
  static async open(file: string, witness: CosignatureVerifier): Promise<WitnessState> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new WitnessStateError(
        error.code === 'ENOENT'
          ? `There is no state at ${file}. Bring it back: a witness that forgot what it signed would sign another log. For a new witness, make a new key with \`quartermaster audit witness init\`.`
          : `The state ${file} can’t be read (${error.code}).`,
      );
    });
    const state = State.safeParse(parsed(text));
    if (!state.success) throw new WitnessStateError(`${file} is no state of a witness, or it is damaged.`);
    if (state.data.witness !== witness.toString()) {
      throw new WitnessStateError(`The state ${file} is that of ${state.data.witness}, not of ${witness.toString()}.`);
    }
    const logs = new Map(Object.entries(state.data.logs));
    for (const [origin, note] of logs) refuseForeign(file, origin, note, witness);
    return new WitnessState(file, witness, text, logs);
  }

  /** What it cosigned last of a log; null for nothing. */
  newest(origin: string): Checkpoint | null {
    const note = this.logs.get(origin);
    return note === undefined ? null : checkpointOf(readNote(note).text);
  }

  /** The checkpoint itself, as it was cosigned. @param originHash SHA-256 of the log's origin, in hex */
  checkpoint(originHash: string): string | undefined {
    const found = [...this.logs].find(([origin]) => createHash('sha256').update(origin).digest('hex') === originHash);
    return found?.[1];
  }

  /** On the disk when this returns. @throws WitnessStateError when somebody else writes to the file */
  async keep(origin: string, note: string): Promise<void> {
    if ((await readFile(this.file, 'utf8')) !== this.text) {
      throw new WitnessStateError(`Somebody else writes to ${this.file}: two witnesses must not share one state.`);
    }
    const logs = new Map([...this.logs, [origin, note]]);
    const text = textOf(this.witness, logs);
    await replaceFile(this.file, text, 0o600);
    const folder = await open(dirname(this.file), 'r');
    await folder.sync().finally(() => folder.close());
    [this.logs, this.text] = [logs, text];
  }
}

function textOf(witness: CosignatureVerifier, logs: ReadonlyMap<string, string>): string {
  return `${JSON.stringify({ format: FORMAT, witness: witness.toString(), logs: Object.fromEntries(logs) }, null, 2)}\n`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws WitnessStateError for a checkpoint that this witness hasn't signed */
function refuseForeign(file: string, origin: string, note: string, witness: CosignatureVerifier): void {
  try {
    if (witness.read(note) && checkpointOf(readNote(note).text).origin === origin) return;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
  }
  throw new WitnessStateError(`In ${file}, what is kept of ${origin} isn’t what this witness cosigned.`);
}
