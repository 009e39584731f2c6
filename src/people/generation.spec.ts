import { expect, it } from 'vitest';
import { GENERATIONS_PER_EPOCH, generationAfter } from './generation.js';

it('starts at the epoch’s first generation', () => {
  expect(generationAfter(0, 1)).toBe(GENERATIONS_PER_EPOCH);
});

it('counts up inside an epoch', () => {
  expect(generationAfter(GENERATIONS_PER_EPOCH + 6, 1)).toBe(GENERATIONS_PER_EPOCH + 7);
});

it('is above everything that was given out before a restore, known to the backup or not', () => {
  const givenOutAfterTheBackup = GENERATIONS_PER_EPOCH + 1_000;
  const knownToTheBackup = GENERATIONS_PER_EPOCH + 3;
  expect(generationAfter(knownToTheBackup, 2)).toBeGreaterThan(givenOutAfterTheBackup);
});
