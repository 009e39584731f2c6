import { describe, expect, it } from 'vitest';
import { ApiProblem } from '../api/problem.js';
import { runOnEach, type Accepted, type RowResult } from './run-on-each.js';
import { NOTHING, toggled, upTo, without, type Selection } from './selection.js';

const ORDER = ['a', 'b', 'c', 'd', 'e'];

describe('a selection of rows', () => {
  const idsOf = ({ ids }: Selection) => [...ids].toSorted();

  it('takes one, lets it go, and takes a range in either direction from the one touched last', () => {
    const one = toggled(NOTHING, 'd');
    expect(idsOf(one)).toEqual(['d']);
    expect(idsOf(toggled(one, 'd'))).toEqual([]);
    expect(idsOf(upTo(one, 'b', ORDER))).toEqual(['b', 'c', 'd']);
    expect(idsOf(upTo(upTo(one, 'b', ORDER), 'e', ORDER))).toEqual(['b', 'c', 'd', 'e']);
  });

  it('takes one alone where a range has nothing to begin from', () => {
    expect(idsOf(upTo(NOTHING, 'c', ORDER))).toEqual(['c']);
    const lost = toggled(NOTHING, 'gone from the list');
    expect(idsOf(upTo(lost, 'c', ORDER))).toEqual(['c', 'gone from the list']);
  });

  it('keeps what failed when what was done is dropped', () => {
    expect(idsOf(without(upTo(toggled(NOTHING, 'a'), 'c', ORDER), 'b'))).toEqual(['a', 'c']);
  });
});

describe('an act on many rows', () => {
  const rows = ORDER.map((id) => ({ id }));
  const DONE: Accepted = { standing: 'done', said: 'done', caseId: null };
  const problem = (kind: string, status: number) => new ApiProblem(kind, status, kind, `because of ${kind}`, null);

  async function run(answers: Record<string, ApiProblem | Error>, stoppedAfter = Infinity) {
    const told: Record<string, RowResult> = {};
    const asked: string[] = [];
    const act = async ({ id }: { id: string }): Promise<Accepted> => {
      asked.push(id);
      if (answers[id]) throw answers[id];
      return DONE;
    };
    const endedBy = await runOnEach(
      rows,
      act,
      (id, result) => (told[id] = result),
      () => asked.length >= stoppedAfter,
    );
    return { asked: asked.join(''), told, endedBy };
  }

  it('goes on after a refusal that is about one row, and keeps its words', async () => {
    const { asked, told, endedBy } = await run({ b: problem('conflict', 409), d: problem('forbidden', 403) });
    expect([asked, endedBy]).toEqual(['abcde', null]);
    expect(told).toMatchObject({
      a: { accepted: DONE },
      b: { refused: 'conflict. because of conflict' },
      d: { refused: 'forbidden. because of forbidden' },
    });
  });

  it.each([
    ['unauthenticated', 401],
    ['step-up-required', 403],
    ['too-many-requests', 429],
    ['unavailable', 503],
    ['no-answer', 0],
  ])('ends at %s, which every next row would meet as well, and says nothing of that row', async (kind, status) => {
    const { asked, told, endedBy } = await run({ c: problem(kind, status) });
    expect(asked).toBe('abc');
    expect(Object.keys(told)).toEqual(['a', 'b']);
    expect(endedBy).toMatchObject({ kind });
  });

  it('asks for no further row once somebody stopped it', async () => {
    const { asked, told, endedBy } = await run({}, 2);
    expect([asked, Object.keys(told), endedBy]).toEqual(['ab', ['a', 'b'], null]);
  });
});
