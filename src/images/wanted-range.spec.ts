import { describe, expect, it } from 'vitest';
import { wantedRange } from './wanted-range.js';

const SIZE = 1_000;
const ETAG = '"sha256-ab"';
const whole = { kind: 'whole' };
const part = (first: number, last: number) => ({ kind: 'part', first, last });

describe('what a GET asks for (RFC 9110)', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=500-', part(500, 999)],
    ['bytes=990-5000', part(990, 999)],
    ['bytes=-1', part(999, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=1000-', { kind: 'nothing' }],
    ['bytes=-0', { kind: 'nothing' }],
    // Not a range, or several: as if there were none.
    ['bytes=5-4', whole],
    ['bytes=0-0,5-9', whole],
    ['bytes=', whole],
    ['bytes=a-b', whole],
    ['lines=0-1', whole],
    [`bytes=${'9'.repeat(400)}-`, whole],
  ])('%s', (range, wanted) => {
    expect(wantedRange({ range }, SIZE, ETAG)).toEqual(wanted);
  });

  it('is a range only while the content is the one that If-Range names, strongly', () => {
    const range = 'bytes=10-';
    expect(wantedRange({ range, ifRange: ETAG }, SIZE, ETAG)).toEqual(part(10, 999));
    for (const ifRange of ['"sha256-cd"', `W/${ETAG}`, 'Sat, 29 Oct 1994 19:43:31 GMT']) {
      expect(wantedRange({ range, ifRange }, SIZE, ETAG)).toEqual(whole);
    }
  });

  it('is nothing new for who has it, and refused for who takes it for another', () => {
    expect(wantedRange({ ifNoneMatch: `"x", W/${ETAG}` }, SIZE, ETAG)).toEqual({ kind: 'unchanged' });
    expect(wantedRange({ ifNoneMatch: '*' }, SIZE, ETAG)).toEqual({ kind: 'unchanged' });
    expect(wantedRange({ ifNoneMatch: '"x"' }, SIZE, ETAG)).toEqual(whole);
    expect(wantedRange({ ifMatch: '"x"', ifNoneMatch: ETAG }, SIZE, ETAG)).toEqual({ kind: 'other' });
    expect(wantedRange({ ifMatch: ETAG, range: 'bytes=1-1' }, SIZE, ETAG)).toEqual(part(1, 1));
  });
});
