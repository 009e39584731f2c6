import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { checkSignature, type SignedRequest } from './check-signature.js';

const now = new Date('2026-03-01T12:00:00Z');
const secret = `whsec_${randomBytes(32).toString('base64')}`;
const other = `whsec_${randomBytes(32).toString('base64')}`;
const body = '{"type":"employee.joined","employee":{"id":"E-1"}}';

function signed(with_: Partial<SignedRequest> & { sentAt?: Date; by?: string } = {}): SignedRequest {
  const { sentAt = now, by = secret, ...request } = with_;
  return {
    id: 'msg_1',
    timestamp: String(Math.floor(sentAt.getTime() / 1000)),
    signature: new Webhook(by).sign('msg_1', sentAt, body),
    body,
    ...request,
  };
}

const verdict = (request: SignedRequest, secrets: readonly string[] = [secret]) =>
  checkSignature(request, secrets, now);
const seconds = (count: number) => new Date(now.getTime() + count * 1000);

describe('a signed request', () => {
  it('is good, and answers the id it was signed with', () => {
    expect(verdict(signed())).toEqual({ good: true, id: 'msg_1' });
  });

  it('may be signed with either of two secrets', () => {
    expect(verdict(signed(), [secret, other]).good).toBe(true);
    expect(verdict(signed({ by: other }), [secret, other]).good).toBe(true);
  });

  it('is refused with the secret of somebody else, and when the source has none', () => {
    expect(verdict(signed({ by: other })).good).toBe(false);
    expect(verdict(signed(), []).good).toBe(false);
  });

  it('may carry several signatures, of which one has to match', () => {
    const right = signed().signature ?? '';
    const wrong = signed({ by: other }).signature ?? '';
    expect(verdict(signed({ signature: `${wrong} ${right}` })).good).toBe(true);
    expect(verdict(signed({ signature: `${right} v1a,ZWQyNTUxOQ==` })).good).toBe(true);
    expect(verdict(signed({ signature: `${wrong} ${wrong}` })).good).toBe(false);
  });

  it('needs the version in front of its signature, and all of it', () => {
    const right = signed().signature ?? '';
    expect(right.startsWith('v1,')).toBe(true);
    for (const signature of [right.slice(3), right.replace('v1,', 'v2,'), right.slice(0, -1), 'v1,', ' ', 'nonsense']) {
      expect([signature, verdict(signed({ signature })).good]).toEqual([signature, false]);
    }
  });

  it.each(['id', 'timestamp', 'signature'] as const)('needs the header webhook-%s', (header) => {
    expect(verdict(signed({ [header]: undefined }))).toMatchObject({ good: false });
    expect(verdict(signed({ [header]: '' }))).toMatchObject({ good: false });
  });

  it.each([
    '1772366400.0',
    '1772366400abc',
    '-1772366400',
    '0x69A42B80',
    '1e9',
    ' 1772366400',
    'now',
    '2026-03-01T12:00:00Z',
    '9'.repeat(400),
  ])('needs a timestamp in whole Unix seconds, not %s', (timestamp) => {
    const answer = verdict(signed({ timestamp }));
    expect(answer).toEqual({ good: false, because: expect.stringContaining('whole Unix seconds') });
  });

  it.each([
    ['5 minutes old', -300, true],
    ['older', -301, false],
    ['5 minutes ahead', 300, true],
    ['further ahead', 301, false],
  ])('is judged by the clock that is passed in: %s', (_what, offset, good) => {
    const answer = verdict(signed({ sentAt: seconds(offset) }));
    expect(answer.good).toBe(good);
    if (!answer.good) expect(answer.because).toContain('5 minutes');
  });

  it('can not be taken up again under another timestamp or another id', () => {
    expect(verdict(signed({ timestamp: String(now.getTime() / 1000 + 1) })).good).toBe(false);
    expect(verdict(signed({ id: 'msg_2' })).good).toBe(false);
  });

  it('is refused when a byte of its body is another one, was added or is gone', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.constantFrom(' ', '0', 'x', ''), (at, byte) => {
        const changed = body.slice(0, at) + byte + body.slice(at + 1);
        fc.pre(changed !== body);
        expect(verdict(signed({ body: changed })).good).toBe(false);
      }),
    );
    expect(verdict(signed({ body: `${body}\n` })).good).toBe(false);
    expect(verdict(signed({ body: '' })).good).toBe(false);
  });

  it('takes a secret with and without its prefix for the same', () => {
    const bare = secret.slice('whsec_'.length);
    expect(verdict(signed({ by: bare }), [secret]).good).toBe(true);
    expect(verdict(signed({ by: secret }), [bare]).good).toBe(true);
  });

  it('says what was wrong without a word of the secret or of the right signature', () => {
    const answer = verdict(signed({ by: other }));
    expect(answer.good).toBe(false);
    expect(JSON.stringify(answer)).not.toContain(secret.slice(6));
    expect(JSON.stringify(answer)).not.toContain(signed().signature?.slice(3));
  });
});
