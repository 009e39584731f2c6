import { timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** As Standard Webhooks recommends, in milliseconds, to both sides. */
const TOLERANCE = 5 * 60_000;

export interface SignedRequest {
  /** Headers `webhook-id`, `webhook-timestamp` (Unix seconds), `webhook-signature` (`v1,<base64>`, separated by blanks). */
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
  /** The body's bytes as they came. */
  body: string;
}

export type SignatureVerdict = { good: true; id: string } | { good: false; because: string };

/**
 * Checks a request's signature by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`; any signature may match any
 * of the secrets, so that one can be replaced while the other still signs.
 *
 * @param now by the database's clock: one clock for all servers
 */
export function checkSignature(request: SignedRequest, secrets: readonly string[], now: Date): SignatureVerdict {
  const { id, timestamp, signature, body } = request;
  if (!id || !timestamp || !signature) {
    return { good: false, because: 'The headers webhook-id, webhook-timestamp and webhook-signature are all needed.' };
  }
  // Short enough for an index; the senders' own ids have some 30 characters.
  if (id.length > 256) return { good: false, because: 'The header webhook-id has more than 256 characters.' };
  if (!/^\d{1,12}$/.test(timestamp)) {
    return { good: false, because: 'The header webhook-timestamp has to be in whole Unix seconds.' };
  }
  const sentAt = new Date(Number(timestamp) * 1000);
  if (Math.abs(now.getTime() - sentAt.getTime()) > TOLERANCE) {
    return { good: false, because: 'The header webhook-timestamp is more than 5 minutes off. Is your clock right?' };
  }
  const expected = secrets.map((secret) => Buffer.from(new Webhook(secret).sign(id, sentAt, body)));
  const given = signature.split(' ').map((one) => Buffer.from(one));
  // All pairs are compared, in constant time each: neither the place nor the length of a match shows.
  const matches = expected.flatMap((right) =>
    given.map((one) => one.length === right.length && timingSafeEqual(one, right)),
  );
  if (matches.includes(true)) return { good: true, id };
  return {
    good: false,
    because: 'No signature matches. Is it made with the secret of this source, over the raw body?',
  };
}
