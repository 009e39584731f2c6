/** What a GET asks for, of the header fields that RFC 9110 names. */
export interface RangeRequest {
  range?: string | undefined;
  ifRange?: string | undefined;
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export type WantedRange =
  | { kind: 'whole' }
  /** Both included, as in `Content-Range`. */
  | { kind: 'part'; first: number; last: number }
  /** There is nothing in that range: 416. */
  | { kind: 'nothing' }
  /** Whoever asks has it already: 304. */
  | { kind: 'unchanged' }
  /** It isn't what whoever asks thinks: 412. */
  | { kind: 'other' };

/**
 * What to answer with, by the order of RFC 9110, 13.2.2. A range that can't be read, or several of them, count as none
 * (14.2): the whole is answered then, which a client has to be ready for.
 * @param etag strong, with its quotes
 */
export function wantedRange(
  { range, ifRange, ifMatch, ifNoneMatch }: RangeRequest,
  size: number,
  etag: string,
): WantedRange {
  if (ifMatch !== undefined && !names(ifMatch, etag)) return { kind: 'other' };
  if (ifNoneMatch !== undefined && names(ifNoneMatch.replaceAll('W/', ''), etag)) return { kind: 'unchanged' };
  const asked = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/.exec(range?.trim() ?? '');
  // A date never matches: we tell none (13.1.5).
  if (!asked || (ifRange !== undefined && ifRange.trim() !== etag)) return { kind: 'whole' };
  const [, from = '', to = '', suffix] = asked;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? { kind: 'nothing' } : { kind: 'part', first: size - length, last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return { kind: 'whole' };
  if (first >= size) return { kind: 'nothing' };
  return { kind: 'part', first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** Strongly: a weak one never does. */
function names(list: string, etag: string): boolean {
  return list.trim() === '*' || list.split(',').some((one) => one.trim() === etag);
}
