import type { ActResult } from './contract.js';

export function done<T>(value: T, sideEffects: readonly string[] = []): ActResult<T> {
  return { outcome: 'done', value, sideEffects };
}

export function already<T>(value: T): ActResult<T> {
  return { outcome: 'already', value, sideEffects: [] };
}
