import { describe, expect, it } from 'vitest';
import { LogCheck, type KeptEntry, type LogPart } from './check-log.js';
import { checkpointText } from './checkpoint.js';
import { Cosigner, withCosignatures } from './cosignature.js';
import { leafText } from './leaf.js';
import { leafHash, MerkleTree } from './merkle-tree.js';
import { NoteSigner, readNote } from './signed-note.js';

const signer = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const entry = (index: number, action = `act-${index}`): KeptEntry => {
  const hash = leafHash(leafText({ id: index, action }));
  return { index, hash, found: hash };
};

/** A log as it is kept, with a checkpoint after so many entries each. */
function sealed(entries: readonly KeptEntry[], sizes: readonly number[], by = signer): LogPart[] {
  const tree = MerkleTree.empty();
  return entries.flatMap((one): LogPart[] => {
    tree.append(one.hash);
    const note = by.sign(checkpointText({ origin: by.verifier.name, size: tree.size, root: tree.root() }));
    return sizes.includes(tree.size) ? [{ entry: one }, { checkpoint: note }] : [{ entry: one }];
  });
}

const entries = [...Array(20).keys()].map((index) => entry(index));
const log = sealed(entries, [5, 8, 20]);
const checkpointAfter = (size: number, of = log): string => {
  const at = of.findIndex((part) => 'entry' in part && part.entry.index === size - 1);
  const part = of[at + 1];
  return part && 'checkpoint' in part ? part.checkpoint : '';
};

function check(parts: readonly LogPart[], outside: readonly string[] = []): readonly string[] {
  const one = new LogCheck(signer.verifier);
  for (const note of outside) one.compareWith({ from: 'kept.txt', note });
  for (const part of parts) one.part(part);
  return one.end();
}

const changed = (index: number, how: (kept: KeptEntry) => readonly KeptEntry[]): LogPart[] =>
  log.flatMap((part): LogPart[] =>
    'entry' in part && part.entry.index === index ? how(part.entry).map((one) => ({ entry: one })) : [part],
  );

describe('a log', () => {
  it('that is as it was sealed has nothing to be found, with and without checkpoints from outside', () => {
    expect(check(log)).toEqual([]);
    expect(check(log, [checkpointAfter(5), checkpointAfter(20)])).toEqual([]);
    expect(check([])).toEqual([]);
  });

  it('in which an entry was edited names it', () => {
    const edited = changed(6, (kept) => [{ ...kept, found: entry(6, 'nothing happened').hash }]);
    expect(check(edited)).toEqual(['Entry 6 was changed: it isn’t what was sealed.']);
  });

  it('in which an entry was edited with its hash is narrowed down by the checkpoints', () => {
    const edited = changed(6, () => [entry(6, 'nothing happened')]);
    expect(check(edited)).toEqual([expect.stringContaining('Between entry 5 and entry 7 something was changed')]);
  });

  it('in which an entry was deleted names it', () => {
    expect(check(changed(6, () => []))[0]).toBe('Entry 6 is missing: after entry 5 comes 7.');
    expect(check(changed(0, () => []))[0]).toBe('Entry 0 is missing: after the start comes 1.');
  });

  it('in which an entry was deleted and the others moved up is narrowed down', () => {
    const moved = entries.filter(({ index }) => index !== 6).map((kept, index) => ({ ...kept, index }));
    const parts: LogPart[] = moved.flatMap((kept) => {
      const note = checkpointAfter(kept.index + 1);
      return note ? [{ entry: kept }, { checkpoint: note }] : [{ entry: kept }];
    });
    expect(check([...parts, { checkpoint: checkpointAfter(20) }])).toEqual([
      expect.stringContaining('Between entry 5 and entry 7'),
      'The end was cut off: a checkpoint speaks for 20 entries, and 19 are here.',
    ]);
  });

  it('into which an entry was put names its place', () => {
    expect(check(changed(6, (kept) => [kept, entry(6, 'put in')]))[0]).toBe(
      'Entry 6 is there more than once, or out of its order.',
    );
  });

  it('whose end was cut off shows it against a checkpoint, its own or one from outside', () => {
    const cut = log.filter((part) => !('entry' in part) || part.entry.index < 8);
    expect(check(cut)).toEqual(['The end was cut off: a checkpoint speaks for 20 entries, and 8 are here.']);
    const cleanCut = log.slice(
      0,
      log.findIndex((part) => 'entry' in part && part.entry.index === 8),
    );
    expect(check(cleanCut)).toEqual([]);
    expect(check(cleanCut, [checkpointAfter(20)])).toEqual([
      'The end was cut off: kept.txt speaks for 20 entries, and 8 are here.',
    ]);
  });

  it('that was rewritten and sealed anew with the right key is a fork of what somebody kept', () => {
    const rewritten = sealed(
      entries.map((kept) => (kept.index === 6 ? entry(6, 'nothing happened') : kept)),
      [5, 8, 20],
    );
    expect(check(rewritten)).toEqual([]);
    expect(check(rewritten, [checkpointAfter(5)])).toEqual([]);
    expect(check(rewritten, [checkpointAfter(8)])).toEqual([
      'The log was forked: it isn’t the one that kept.txt speaks for, within its first 8 entries.',
    ]);
  });

  describe('whose first entries were dropped', () => {
    const frontierAt = (size: number) => {
      const tree = MerkleTree.empty();
      for (const { hash } of entries.slice(0, size)) tree.append(hash);
      return tree.frontier;
    };
    const droppedUpTo = (size: number, frontier = frontierAt(size)): LogPart[] => [
      { start: { size, frontier } },
      ...log.flatMap((part): LogPart[] => {
        if (!('entry' in part)) return 'checkpoint' in part && part.checkpoint !== checkpointAfter(5) ? [part] : [];
        if (part.entry.index < size) return [];
        return [part.entry.index === 19 ? { entry: { ...part.entry, keptFrom: 6 } } : part];
      }),
    ];

    it('is as it was sealed, when an entry says so, and holds against checkpoints from outside', () => {
      expect(check(droppedUpTo(6))).toEqual([]);
      expect(check(droppedUpTo(6), [checkpointAfter(5), checkpointAfter(8), checkpointAfter(20)])).toEqual([]);
    });

    it('shows that more of them are gone than was said', () => {
      expect(check(droppedUpTo(8))[0]).toBe(
        'Entries 6 to 7 are missing, and no sealed entry says that they were dropped.',
      );
    });

    it('shows that what is left of them, or what comes after, isn’t what was sealed', () => {
      const other = frontierAt(6).map((byte, at) => (at === 40 ? byte ^ 1 : byte));
      expect(check(droppedUpTo(6, Buffer.from(other)))).toEqual([
        'Before or between entry 6 and entry 7 something was changed, taken out or put in after it was sealed.',
      ]);
      expect(check(droppedUpTo(6, Buffer.alloc(7)))[0]).toContain('What is said of dropped entries can’t be right');
      expect(check([...log, { start: { size: 6, frontier: frontierAt(6) } }])[0]).toContain('starts in the middle');
    });

    it('doesn’t believe it of an entry that was changed', () => {
      const forged = droppedUpTo(6).map((part) =>
        'entry' in part && part.entry.keptFrom ? { entry: { ...part.entry, found: entry(0).hash } } : part,
      );
      expect(check(forged).at(-1)).toContain('no sealed entry says');
    });
  });

  it('that somebody else signed is not believed', () => {
    const other = sealed(entries, [20], new NoteSigner('acme.example/audit', Buffer.alloc(32, 8)));
    expect(check(other)).toEqual([
      expect.stringContaining('A checkpoint after entry 19 can’t be believed'),
      'Entries 0 to 19 are covered by no checkpoint.',
    ]);
  });
});

describe('a log whose checkpoints are cosigned', () => {
  const witness = new Cosigner('witness.example/w1', Buffer.alloc(32, 9));
  const at = new Date('2026-11-23T10:00:00Z');
  const cosigned = (note: string, by = witness) => withCosignatures(note, [by.cosign(readNote(note).text, at)]);
  /** Its checkpoints of these sizes have a cosignature. */
  const witnessed = (parts: readonly LogPart[], ...sizes: number[]): LogPart[] =>
    parts.map((part) =>
      'checkpoint' in part && sizes.includes(Number(part.checkpoint.split('\n')[1]))
        ? { checkpoint: cosigned(part.checkpoint) }
        : part,
    );

  function demand(parts: readonly LogPart[], outside: readonly string[] = []) {
    const one = new LogCheck(signer.verifier);
    one.demandCosignature(witness.verifier);
    for (const note of outside) one.compareWith({ from: 'witness.txt', note });
    for (const part of parts) one.part(part);
    return { findings: one.end(), remarks: one.remarks };
  }

  it('says when the witness saw how much of it', () => {
    expect(demand(witnessed(log, 5, 8))).toEqual({
      findings: [],
      remarks: ['witness.example/w1 cosigned the first 8 entries at 2026-11-23T10:00:00.000Z; 12 came later.'],
    });
    expect(demand(log, [cosigned(checkpointAfter(20))])).toEqual({
      findings: [],
      remarks: ['witness.example/w1 cosigned the first 20 entries at 2026-11-23T10:00:00.000Z.'],
    });
  });

  it('is refused when none is, when another one did it, and when a cosignature isn’t right', () => {
    const missing = 'No checkpoint that agrees with this log is cosigned by witness.example/w1.';
    expect(demand(log).findings).toEqual([missing]);
    const other = new Cosigner('witness.example/w1', Buffer.alloc(32, 8));
    expect(demand(log, [cosigned(checkpointAfter(20), other)]).findings).toEqual([missing]);
    const moved = cosigned(checkpointAfter(8)).split('\n').at(-2) ?? '';
    expect(demand(log, [withCosignatures(checkpointAfter(20), [moved])]).findings).toEqual([
      'The cosignature of witness.example/w1 isn’t right.',
    ]);
  });

  it('and that was rewritten with the right key, or cut, is found out by one cosigned checkpoint', () => {
    const seen = cosigned(checkpointAfter(8));
    const rewritten = sealed([...entries.slice(0, 3), entry(3, 'nothing happened'), ...entries.slice(4)], [5, 20]);
    expect(check(rewritten)).toEqual([]);
    expect(demand(rewritten, [seen]).findings[0]).toContain('The log was forked: it isn’t the one that witness.txt');
    const cut = sealed(entries.slice(0, 5), [5]);
    expect(check(cut)).toEqual([]);
    expect(demand(cut, [seen]).findings[0]).toContain('The end was cut off: witness.txt speaks for 8 entries');
  });
});
