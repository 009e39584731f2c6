import { getEventListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { withSignal } from './with-signal.js';

const untilAborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((done) => {
    if (signal.aborted) done(signal.reason);
    signal.addEventListener('abort', () => done(signal.reason), { once: true });
  });

it('is aborted with each of its sources, for their reason', async () => {
  for (const which of [0, 1] as const) {
    const sources = [new AbortController(), new AbortController()] as const;
    const heard = withSignal([sources[0].signal, sources[1].signal], 60_000, untilAborted);
    sources[which].abort('enough');
    expect(await heard).toBe('enough');
  }
});

it('is aborted from the start where a source is', async () => {
  expect(await withSignal([AbortSignal.abort('too late')], 60_000, untilAborted)).toBe('too late');
});

it('is aborted when the time is over', async () => {
  expect(await withSignal([], 20, untilAborted)).toMatchObject({ name: 'TimeoutError' });
});

it('lets go of its sources, done or failed', async () => {
  const source = new AbortController();
  expect(await withSignal([source.signal], 60_000, () => pause(1, 'done'))).toBe('done');
  const failing = withSignal([source.signal], 60_000, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(getEventListeners(source.signal, 'abort')).toHaveLength(0);
});
