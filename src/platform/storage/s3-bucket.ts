import type { S3Client } from '@aws-sdk/client-s3';
import type { Bucket } from './place.js';

/** What a bucket is spoken to with. */
export interface S3Bucket {
  library: () => Promise<typeof import('@aws-sdk/client-s3')>;
  client: () => Promise<S3Client>;
  /** Where a file by this path is in the bucket. */
  at: (path: string) => { Bucket: string; Key: string };
}

/** Keys come from where Amazon's own tools look for them: the environment, a role of the machine, a profile. */
export function s3Bucket({ bucket, prefix, endpoint, region }: Bucket): S3Bucket {
  let opened: Promise<S3Client> | undefined;
  // Loaded by whoever has a bucket and by nobody else: it is the largest library here.
  const library = () => import('@aws-sdk/client-s3');
  return {
    library,
    client: () =>
      (opened ??= library().then(
        ({ S3Client: Client }) =>
          new Client({
            ...(endpoint && { endpoint, forcePathStyle: true }),
            region,
            // Not every provider knows the checksums that Amazon has added since; TLS guards the way, and a hash of our
            // own the content.
            requestChecksumCalculation: 'WHEN_REQUIRED',
            responseChecksumValidation: 'WHEN_REQUIRED',
            maxAttempts: 2,
          }),
      )),
    at: (path) => ({ Bucket: bucket, Key: prefix === '' ? path : `${prefix}/${path}` }),
  };
}
