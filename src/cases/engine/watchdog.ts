import { Worker } from 'node:worker_threads';
import { TIMING } from './timing.js';

/**
 * A thread that watches the main one: when the event loop hasn't turned for ten seconds, the whole process is killed,
 * since nothing inside a stuck loop can end it (I9). Its steps lapse and are taken up by others.
 */
const WATCH = `
  const { workerData } = require('node:worker_threads');
  const beats = new Int32Array(workerData.beats);
  let last = Atomics.load(beats, 0);
  for (;;) {
    // Woken by each beat; a time-out means that none came.
    const answer = Atomics.wait(beats, 0, last, workerData.silence);
    if (answer === 'timed-out') process.kill(process.pid, 'SIGKILL');
    last = Atomics.load(beats, 0);
  }`;

export function startWatchdog(): { stop(): Promise<void> } {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const thread = new Worker(WATCH, { eval: true, workerData: { beats: beats.buffer, silence: TIMING.silence } });
  thread.unref();
  const pulse = setInterval(() => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  }, TIMING.heartbeat);
  pulse.unref();
  return {
    stop: async () => {
      clearInterval(pulse);
      await thread.terminate();
    },
  };
}
