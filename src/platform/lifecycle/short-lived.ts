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
