import { expect, it } from 'vitest';
import { newReportCode, plainCode } from './code-text.js';

it('makes codes in four groups of four, never the same', () => {
  const codes = Array.from({ length: 200 }, newReportCode);
  for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(new Set(codes).size).toBe(codes.length);
});

it('takes a code as people type it', () => {
  expect(plainCode(' 7qkm 3zpo-xw9d–h4rl ')).toBe(plainCode('7QKM-3ZP0-XW9D-H4R1'));
  expect(plainCode('7QKM-3ZP0-XW9D-H4RT')).not.toBe(plainCode('7QKM-3ZP0-XW9D-H4RV'));
});
