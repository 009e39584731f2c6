import type { S3Client } from '@aws-sdk/client-s3';
import type { LogShelf } from './log-shelf.js';

export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; empty for the bucket's root. */
  prefix: string;
  /** Of another provider than Amazon. */
  endpoint: string | undefined;
  region: string | undefined;
}

/** Milliseconds for one file. */
const PATIENCE = 15_000;

/**
 * A bucket at Amazon or at anything that speaks S3. Keys come from where Amazon's own tools look for them: the environment,
 * a role of the machine, a profile.
 */
export function s3Shelf({ bucket, prefix, endpoint, region }: S3Place): LogShelf {
  let opened: Promise<S3Client> | undefined;
  // Loaded by whoever publishes there and by nobody else: it is the largest library here.
  const library = () => import('@aws-sdk/client-s3');
  const client = () =>
    (opened ??= library().then(
      ({ S3Client: Client }) =>
        new Client({
          ...(endpoint && { endpoint, forcePathStyle: true }),
          region: region ?? process.env['AWS_REGION'] ?? 'us-east-1',
          // Not every provider knows the checksums that Amazon has added since; TLS guards the way, and the tree the content.
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
          maxAttempts: 2,
        }),
    ));
  const key = (path: string) => (prefix === '' ? path : `${prefix}/${path}`);
  return {
    async read(path) {
      const { GetObjectCommand, NoSuchKey } = await library();
      try {
        const { Body } = await (
          await client()
        ).send(new GetObjectCommand({ Bucket: bucket, Key: key(path) }), {
          abortSignal: AbortSignal.timeout(PATIENCE),
        });
        return Body ? Buffer.from(await Body.transformToByteArray()) : null;
      } catch (error) {
        if (error instanceof NoSuchKey) return null;
        throw error;
      }
    },
    async write(path, content) {
      const { PutObjectCommand } = await library();
      const isTile = path.startsWith('tile/');
      await (
        await client()
      ).send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key(path),
          Body: content,
          ContentType: isTile ? 'application/octet-stream' : 'text/plain; charset=utf-8',
          CacheControl: isTile ? 'public, max-age=31536000, immutable' : 'no-cache',
        }),
        { abortSignal: AbortSignal.timeout(PATIENCE) },
      );
    },
  };
}
