/** Where files are kept outside of the database. */
export type Place = { kind: 'folder'; folder: string } | ({ kind: 'bucket' } & Bucket);

/** At Amazon, or at anything that speaks S3. */
export interface Bucket {
  bucket: string;
  /** Without slashes at its ends; empty for the bucket's root. */
  prefix: string;
  /** Of another provider than Amazon. */
  endpoint: string | undefined;
  region: string;
}

/** Where Amazon's own tools look as well when nobody says otherwise. */
const REGION = 'us-east-1';

/** An address that is none, with what to write instead. */
export class PlaceAddressError extends Error {
  override readonly name = 'PlaceAddressError';
}

/**
 * The place that an address means: `/srv/audit`, or `s3://bucket/prefix?endpoint=https://…&region=…`. Nothing is opened
 * or asked yet.
 * @param region of buckets whose address names none
 * @throws PlaceAddressError
 */
export function placeAt(address: string, region?: string): Place {
  if (address.startsWith('/')) return { kind: 'folder', folder: address };
  const url = URL.parse(address);
  if (url?.protocol === 's3:' && url.hostname !== '' && url.username === '' && url.password === '') {
    return {
      kind: 'bucket',
      bucket: url.hostname,
      prefix: decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, ''),
      endpoint: url.searchParams.get('endpoint') ?? undefined,
      region: url.searchParams.get('region') ?? region ?? REGION,
    };
  }
  throw new PlaceAddressError(
    "isn't a place to keep files at: write a folder from the root on, as in /srv/audit, or s3://bucket/prefix (keys come from the environment, never from the address)",
  );
}

/** Null for an address that `placeAt` takes. */
export function problemOfAddress(address: string): string | null {
  try {
    placeAt(address);
    return null;
  } catch (error) {
    if (error instanceof PlaceAddressError) return error.message;
    throw error;
  }
}
