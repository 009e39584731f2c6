import { randomInt } from 'node:crypto';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Bucket } from '../../platform/storage/place.js';
import { s3Bucket } from '../../platform/storage/s3-bucket.js';
import type { Held, ImageStore } from './image-store.js';

/**
 * Bytes of a part of a multipart upload, and of the only buffer that an upload needs. S3 takes 5 MiB at least, but for the
 * last one, and 10,000 parts at most.
 */
const PART = 16 << 20;

/** Milliseconds for sending one part. */
const PATIENCE = 120_000;

/** Names of objects are drawn below this: it is the most that `randomInt` takes. */
const NAMES = 2 ** 48 - 1;

const Upload = z.object({
  uploadId: z.string(),
  /** Of the parts that are there, in their order; each is of `PART` bytes, but for the very last. */
  etags: z.array(z.string()),
  /** Bytes behind the last part: too few for one, so they wait in an object of their own. */
  tail: z.int(),
  /**
   * The names of such objects, of which the last one counts. Each is written once: what a process sends that was taken for
   * dead lies beside what is recorded, and is never read.
   */
  tails: z.array(z.int()),
});
type Upload = z.infer<typeof Upload>;

/** A bucket: each content is one multipart upload until it is whole, and one object from then on. */
export function bucketStore(bucket: Bucket): ImageStore {
  const { library, client, at } = s3Bucket(bucket);
  const objectOf = (key: string) => at(`${key}.img`);
  const tailOf = (key: string, name: number) => at(`${key}.tail-${name}`);

  const begin = async (key: string, signal: AbortSignal): Promise<Upload> => {
    const { CreateMultipartUploadCommand } = await library();
    const request = { ...objectOf(key), ContentType: 'application/octet-stream' };
    const { UploadId } = await (await client()).send(new CreateMultipartUploadCommand(request), patiently(signal));
    if (UploadId === undefined) throw new Error('the bucket answered no id for an upload');
    return { uploadId: UploadId, etags: [], tail: 0, tails: [] };
  };
  const sendPart = async (key: string, upload: Upload, content: Buffer, signal: AbortSignal): Promise<void> => {
    const { UploadPartCommand } = await library();
    const { ETag } = await (
      await client()
    ).send(
      new UploadPartCommand({
        ...objectOf(key),
        UploadId: upload.uploadId,
        PartNumber: upload.etags.length + 1,
        Body: content,
      }),
      patiently(signal),
    );
    if (ETag === undefined) throw new Error('the bucket answered no ETag for a part');
    upload.etags.push(ETag);
    upload.tail = 0;
  };
  const read = async (place: { Bucket: string; Key: string }, range: string, signal: AbortSignal) => {
    const { GetObjectCommand } = await library();
    const request = new GetObjectCommand({ ...place, Range: range });
    const { Body } = await (await client()).send(request, { abortSignal: signal });
    if (!Body) throw new Error('the bucket answered nothing');
    return Body as Readable;
  };

  const removeObject = async (Key: string | undefined, signal: AbortSignal): Promise<void> => {
    const { DeleteObjectCommand } = await library();
    await (await client()).send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key }), patiently(signal));
  };
  /** The recorded ones, and those of processes that died before they could record theirs. */
  const removeAllTails = async (key: string, signal: AbortSignal): Promise<void> => {
    const { ListObjectsV2Command } = await library();
    const { Bucket, Key: Prefix } = at(`${key}.tail-`);
    for (;;) {
      const { Contents = [] } = await (
        await client()
      ).send(new ListObjectsV2Command({ Bucket, Prefix }), patiently(signal));
      if (Contents.length === 0) return;
      for (const { Key } of Contents) await removeObject(Key, signal);
    }
  };
  /** What is left over behind the parts, from where it waits. @returns how many bytes that is */
  const readTail = async (key: string, { tail, tails }: Upload, into: Buffer, signal: AbortSignal): Promise<number> => {
    const [name] = tails.slice(-1);
    if (tail === 0 || name === undefined) return 0;
    let filled = 0;
    const patience = patiently(signal).abortSignal;
    for await (const chunk of await read(tailOf(key, name), `bytes=0-${tail - 1}`, patience)) {
      filled += (chunk as Buffer).copy(into, filled);
    }
    if (filled !== tail) throw new Error('the bucket lost the end of what was sent');
    return filled;
  };

  return {
    async append(key, held, { from, size, chunks }, signal) {
      const upload = from === 0 ? null : uploadIn(held);
      const known: Upload = upload ?? { uploadId: '', etags: [], tail: 0, tails: [] };
      const answer = () => ({ received: Math.min(size, known.etags.length * PART) + known.tail, held: { ...known } });
      try {
        if (!upload) Object.assign(known, await begin(key, signal));
        // Those before the one that is recorded to count are of no use any more.
        for (const old of known.tails.slice(0, known.tail > 0 ? -1 : undefined)) {
          await removeObject(tailOf(key, old).Key, signal);
          known.tails.shift();
        }
        const buffer = Buffer.allocUnsafeSlow(PART);
        let filled = await readTail(key, known, buffer, signal);
        for await (const chunk of chunks) {
          for (let taken = 0; taken < chunk.length;) {
            const copied = chunk.copy(buffer, filled, taken);
            taken += copied;
            filled += copied;
            if (filled < PART) continue;
            await sendPart(key, known, buffer, signal);
            filled = 0;
          }
        }
        if (known.etags.length * PART + filled === size && filled > 0) {
          await sendPart(key, known, buffer.subarray(0, filled), signal);
        } else if (filled > known.tail) {
          const { PutObjectCommand } = await library();
          const name = randomInt(NAMES);
          const request = { ...tailOf(key, name), Body: buffer.subarray(0, filled) };
          await (await client()).send(new PutObjectCommand(request), patiently(signal));
          known.tail = filled;
          known.tails.push(name);
        }
        return answer();
      } catch (failure) {
        return { ...answer(), failure };
      }
    },

    async seal(key, held, signal) {
      const { CompleteMultipartUploadCommand, HeadObjectCommand } = await library();
      const upload = uploadIn(held);
      const parts = upload.etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const request = { ...objectOf(key), UploadId: upload.uploadId, MultipartUpload: { Parts: parts } };
      // No deadline of ours: putting a large object together takes a provider minutes.
      const complete = (await client()).send(new CompleteMultipartUploadCommand(request), { abortSignal: signal });
      await complete.catch(async (error: unknown) => {
        // Done before, the upload isn't known any more, but the object is there; providers word that differently.
        await (await client()).send(new HeadObjectCommand(objectOf(key)), patiently(signal)).catch(() => {
          throw error;
        });
      });
      await removeAllTails(key, signal);
    },

    read: (key, first, last, signal) => read(objectOf(key), `bytes=${first}-${last}`, signal),

    async remove(key, held, signal) {
      const { AbortMultipartUploadCommand } = await library();
      const { data: upload } = Upload.safeParse(held);
      if (upload) {
        const request = { ...objectOf(key), UploadId: upload.uploadId };
        // It may be complete, or the provider may know no abort: the bucket's rule for unfinished uploads takes the rest.
        await (
          await client()
        )
          .send(new AbortMultipartUploadCommand(request), patiently(signal))
          .catch(() => signal.throwIfAborted());
      }
      await removeAllTails(key, signal);
      await removeObject(objectOf(key).Key, signal);
    },
  };
}

function uploadIn(held: Held): Upload {
  return Upload.parse(held);
}

function patiently(signal: AbortSignal): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) };
}
