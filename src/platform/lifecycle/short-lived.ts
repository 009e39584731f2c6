import { setFlagsFromString } from 'node:v8';

/**
 * Tells V8 that what is allocated here lives as long as a request or a step. While a process starts, or falls behind, its
 * objects live longer than they will later; V8 takes that for a rule and allocates such objects where only a full
 * collection frees them (pretenuring). An API server at 200 events a second then marked its whole heap every three
 * seconds, for 100 ms of both cores, and who asked at that moment waited.
 */
export function expectShortLivedObjects(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Tells V8 to collect once as much again lies in the heap as lived after the last collection, instead of up to four times.
 * A worker that runs step after step never rests, which is when V8 would collect by itself: of 86 MB that lived it made a
 * gigabyte, and went on growing.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
