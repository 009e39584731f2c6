import { openCheckpoint, type Checkpoint } from './checkpoint.js';
import type { CosignatureVerifier } from './cosignature.js';
import { MerkleTree } from './merkle-tree.js';
import { NoteError, readNote, type NoteVerifier } from './signed-note.js';

/** An entry as it is kept: its place, what was recorded as its hash when it was sealed, and the hash of what it says now. */
export interface KeptEntry {
  index: number;
  hash: Buffer;
  found: Buffer;
  /** Of an entry that tells that those before this place were dropped. */
  keptFrom?: number;
}

/** What a log consists of, in this order: where it starts (only if entries were dropped), then entries and checkpoints. */
export type LogPart =
  | { start: { size: number; frontier: Buffer } }
  | { entry: KeptEntry }
  /** After the last entry that it speaks for. */
  | { checkpoint: string };

/** A checkpoint that somebody kept outside of this installation, and where it was read from. */
export interface OutsideCheckpoint {
  from: string;
  note: string;
}

/** More of them say nothing new, and a log that is broken from its start would give a million. */
const MOST_FINDINGS = 20;

/**
 * Goes through a log from its first entry to its last and says what isn't as it was sealed. Memory doesn't grow with the
 * log. It needs nothing but what is told to it: neither a database nor this installation.
 */
export class LogCheck {
  private tree = MerkleTree.empty();
  private readonly found: string[] = [];
  private readonly outside = new Map<number, Opened[]>();
  /** Whose cosignatures are demanded, with the newest checkpoint that agrees with the log and has theirs. */
  private readonly witnesses = new Map<CosignatureVerifier, { size: number; note: string } | null>();
  /** Up to here all is as a checkpoint says. */
  private proved = 0;
  private promised = 0;
  private start = 0;
  /** So many were dropped, by what an entry says. */
  private dropped = 0;
  private readonly said: string[] = [];
  private isBroken = false;

  constructor(private readonly verifier: NoteVerifier) {}

  /** Before anything else. */
  demandCosignature(witness: CosignatureVerifier): void {
    this.witnesses.set(witness, null);
  }

  /** Checkpoints from outside come first. */
  compareWith({ from, note }: OutsideCheckpoint): void {
    const checkpoint = this.opened(note, `The checkpoint of ${from}`);
    if (!checkpoint) return;
    this.outside.set(checkpoint.size, [...(this.outside.get(checkpoint.size) ?? []), { from, note, checkpoint }]);
  }

  part(part: LogPart): void {
    if ('entry' in part) this.entry(part.entry);
    else if ('checkpoint' in part) this.checkpoint(part.checkpoint);
    else this.startsAt(part.start);
  }

  /** Entries before this place were dropped: what is left of them has to be what the next checkpoint says. */
  private startsAt({ size, frontier }: { size: number; frontier: Buffer }): void {
    try {
      if (this.tree.size > 0) throw new RangeError('it starts in the middle');
      this.tree = MerkleTree.of(size, frontier);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.finding(`What is said of dropped entries can’t be right: ${error.message}.`);
      return;
    }
    [this.start, this.proved] = [size, size];
    for (const [promised, all] of this.outside) {
      if (promised < size) {
        this.said.push(
          ...all.map(({ from }) => `${from} speaks for dropped entries only; hold an older export against it.`),
        );
      }
    }
    for (const opened of this.outside.get(size) ?? []) this.compare(opened);
  }

  /** Entries come in the order of their places. */
  private entry({ index, hash, found, keptFrom = 0 }: KeptEntry): void {
    const expected = this.tree.size;
    if (index > expected) {
      this.finding(`${entries(expected, index - 1)} missing: after ${placeBefore(expected)} comes ${index}.`);
      this.isBroken = true;
    } else if (index < expected) {
      this.finding(`Entry ${index} is there more than once, or out of its order.`);
      this.isBroken = true;
    }
    if (!found.equals(hash)) {
      this.finding(`Entry ${index} was changed: it isn’t what was sealed.`);
    } else this.dropped = Math.max(this.dropped, keptFrom);
    this.tree.append(hash);
    for (const opened of this.outside.get(this.tree.size) ?? []) this.compare(opened);
  }

  /** A checkpoint of the log's own, told after its last entry. */
  private checkpoint(note: string): void {
    const checkpoint = this.opened(note, `A checkpoint after entry ${this.tree.size - 1}`);
    if (!checkpoint) return;
    this.promised = Math.max(this.promised, checkpoint.size);
    if (checkpoint.size === this.tree.size) this.compare({ from: null, note, checkpoint });
  }

  /** @returns what was found, the first first; nothing when all is as it was sealed */
  end(): readonly string[] {
    const { size } = this.tree;
    if (this.start > this.dropped) {
      this.finding(
        `${entries(this.dropped, this.start - 1)} missing, and no sealed entry says that they were dropped.`,
      );
    }
    for (const [promised, all] of this.outside) {
      if (promised > size)
        this.finding(`The end was cut off: ${all[0]?.from} speaks for ${promised} entries, and ${size} are here.`);
    }
    if (this.promised > size) {
      this.finding(`The end was cut off: a checkpoint speaks for ${this.promised} entries, and ${size} are here.`);
    }
    if (!this.isBroken && this.proved < size)
      this.finding(`${entries(this.proved, size - 1)} covered by no checkpoint.`);
    for (const [witness, seen] of this.witnesses) this.hear(witness, seen);
    return this.found;
  }

  /** So many entries are here. */
  get size(): number {
    return this.tree.size - this.start;
  }

  /** What is worth knowing and nobody's fault. */
  get remarks(): readonly string[] {
    if (this.start === 0) return this.said;
    return [`${entries(0, this.start - 1)} dropped, as an entry says.`, ...this.said];
  }

  private compare({ from, note, checkpoint: { size, root } }: Opened): void {
    // Once the log has been broken no later root can be right: it says nothing new.
    if (this.isBroken) return;
    if (this.tree.root().equals(root)) {
      if (from === null) this.proved = size;
      for (const witness of this.witnesses.keys()) {
        if (names(note, witness)) this.witnesses.set(witness, { size, note });
      }
      return;
    }
    this.isBroken = true;
    this.finding(
      from === null
        ? `${this.start > 0 && this.proved === this.start ? 'Before or between' : 'Between'} entry ${this.proved} and entry ${size - 1} something was changed, taken out or put in after it was sealed.`
        : `The log was forked: it isn’t the one that ${from} speaks for, within its first ${size} entries.`,
    );
  }

  /** Only the newest cosignature is checked: by it the witness speaks for all that came before. */
  private hear(witness: CosignatureVerifier, seen: { size: number; note: string } | null): void {
    try {
      const cosignature = seen && witness.read(seen.note);
      if (!seen || !cosignature) {
        this.finding(`No checkpoint that agrees with this log is cosigned by ${witness.name}.`);
        return;
      }
      const later = this.tree.size - seen.size;
      this.said.push(
        `${witness.name} cosigned the first ${seen.size} entries at ${cosignature.at.toISOString()}` +
          (later > 0 ? `; ${later} came later.` : '.'),
      );
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      this.finding(error.message);
    }
  }

  private opened(note: string, what: string): Checkpoint | undefined {
    try {
      return openCheckpoint(note, this.verifier);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      this.finding(`${what} can’t be believed: ${error.message}`);
      return undefined;
    }
  }

  private finding(what: string): void {
    if (this.found.length < MOST_FINDINGS) this.found.push(what);
  }
}

/** A checkpoint that the log's key signed. */
interface Opened {
  /** Null for the log's own. */
  from: string | null;
  note: string;
  checkpoint: Checkpoint;
}

/** Whether a witness is said to have signed it. */
function names(note: string, witness: CosignatureVerifier): boolean {
  // A million checkpoints without its name need not be taken apart.
  return note.includes(witness.name) && readNote(note).signatures.some((one) => witness.isNamedBy(one));
}

function entries(first: number, last: number): string {
  return first === last ? `Entry ${first} is` : `Entries ${first} to ${last} are`;
}

function placeBefore(index: number): string {
  return index === 0 ? 'the start' : `entry ${index - 1}`;
}
