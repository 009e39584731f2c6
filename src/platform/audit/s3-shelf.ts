import type { Bucket } from '../storage/place.js';
import { s3Bucket } from '../storage/s3-bucket.js';
import type { LogShelf } from './log-shelf.js';

/** Milliseconds for one file. */
const PATIENCE = 15_000;

/** A bucket at Amazon or at anything that speaks S3. */
export function s3Shelf(bucket: Bucket): LogShelf {
  const { library, client, at } = s3Bucket(bucket);
  return {
    async read(path) {
      const { GetObjectCommand, NoSuchKey } = await library();
      try {
        const { Body } = await (
          await client()
        ).send(new GetObjectCommand(at(path)), { abortSignal: AbortSignal.timeout(PATIENCE) });
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
          ...at(path),
          Body: content,
          ContentType: isTile ? 'application/octet-stream' : 'text/plain; charset=utf-8',
          CacheControl: isTile ? 'public, max-age=31536000, immutable' : 'no-cache',
        }),
        { abortSignal: AbortSignal.timeout(PATIENCE) },
      );
    },
  };
}
