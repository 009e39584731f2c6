import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Credentials {
  secretAccessKey: string;
  sessionToken?: string;
}

const LONGEST_SKEW = 5 * 60_000;

/**
 * Checks a request's AWS Signature Version 4 (docs.aws.amazon.com, “Create a signed AWS API request”), for requests whose
 * path is / and that have no query.
 * @returns the access key, or the name of the error that AWS would answer
 */
export function whoSigned(
  request: IncomingMessage,
  body: Buffer,
  { region, service, credentials }: { region: string; service: string; credentials: ReadonlyMap<string, Credentials> },
): { accessKey: string } | { error: string } {
  const header = (name: string) => String(request.headers[name] ?? '').trim();
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/([^/]+)\/([^/]+)\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, accessKey = '', scope = '', itsRegion, itsService, signedHeaders = '', signature = ''] =
    pattern.exec(header('authorization')) ?? [];
  const known = credentials.get(accessKey);
  if (!known || header('x-amz-security-token') !== (known.sessionToken ?? ''))
    return { error: 'UnrecognizedClientException' };
  if (itsRegion !== region || itsService !== service) return { error: 'InvalidSignatureException' };
  const names = signedHeaders.split(';');
  const mustBeSigned = ['host', 'x-amz-date', ...(known.sessionToken ? ['x-amz-security-token'] : [])];
  if (!mustBeSigned.every((name) => names.includes(name))) return { error: 'InvalidSignatureException' };
  const date = header('x-amz-date');
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(Date.now() - at) < LONGEST_SKEW) || !scope.startsWith(date.slice(0, 8))) {
    return { error: 'InvalidSignatureException' };
  }
  const canonicalHeaders = names.map((name) => `${name}:${header(name).replace(/ +/g, ' ')}\n`).join('');
  const canonical = [request.method, '/', '', canonicalHeaders, signedHeaders, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce((last: Buffer | string, part) => hmac(last, part), `AWS4${known.secretAccessKey}`);
  const expected = hmac(key, toSign);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
    ? { accessKey }
    : { error: 'InvalidSignatureException' };
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
