import { describe, expect, it } from 'vitest';
import { Grouped } from './grouped.js';

function recording(answer: (request: number) => number = (request) => request * 10) {
  const groups: number[][] = [];
  const held: (() => void)[] = [];
  const grouped = new Grouped<number, number>(async (requests) => {
    groups.push([...requests]);
    await new Promise<void>((resolve) => held.push(resolve));
    return requests.map(answer);
  }, 3);
  const release = async (): Promise<void> => {
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    held.shift()?.();
  };
  return { grouped, groups, release };
}

describe('what is asked for in groups', () => {
  it('is done at once when it is alone, and together when something is under way; each gets its own answer', async () => {
    const { grouped, groups, release } = recording();
    const first = grouped.ask(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(groups).toEqual([[1]]);
    const others = [2, 3, 4, 5].map((request) => grouped.ask(request));
    for (let group = 0; group < 3; group += 1) await release();
    expect(await Promise.all([first, ...others])).toEqual([10, 20, 30, 40, 50]);
    expect(groups).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('fails alone: the others of its group are answered', async () => {
    const { grouped, groups, release } = recording((request) => {
      if (request === 2) throw new Error('not this one');
      return request;
    });
    const answers = Promise.allSettled([1, 2, 3].map((request) => grouped.ask(request)));
    for (let group = 0; group < 4; group += 1) await release();
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(groups).toEqual([[1, 2, 3], [1], [2], [3]]);
  });
});
