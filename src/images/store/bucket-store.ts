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

const Upload = z.object({
  uploadId: z.string(),
  /** Of the parts that are there, in their order; each is of `PART` bytes, but for the very last. */
  etags: z.array(z.string()),
  /** Bytes behind the last part: too few for one, so they wait in an object of their own. */
  tail: z.int(),
  /** Behind how many parts there ever was such an object: none is overwritten, since only what is recorded counts. */
  tails: z.array(z.int()),
});
type Upload = z.infer<typeof Upload>;

/** A bucket: each content is one multipart upload until it is whole, and one object from then on. */
export function bucketStore(bucket: Bucket): ImageStore {
  const { library, client, at } = s3Bucket(bucket);
  const objectOf = (key: string) => at(`${key}.img`);
  const tailOf = (key: string, parts: number) => at(`${key}.tail-${parts}`);

  const begin = async (key: string): Promise<Upload> => {
    const { CreateMultipartUploadCommand } = await library();
    const request = { ...objectOf(key), ContentType: 'application/octet-stream' };
    const { UploadId } = await (await client()).send(new CreateMultipartUploadCommand(request), patiently());
    if (UploadId === undefined) throw new Error('the bucket answered no id for an upload');
    return { uploadId: UploadId, etags: [], tail: 0, tails: [] };
  };
  const sendPart = async (key: string, upload: Upload, content: Buffer): Promise<void> => {
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
      patiently(),
    );
    if (ETag === undefined) throw new Error('the bucket answered no ETag for a part');
    upload.etags.push(ETag);
    upload.tail = 0;
  };
  const read = async (place: { Bucket: string; Key: string }, range: string, signal?: AbortSignal) => {
    const { GetObjectCommand } = await library();
    const request = new GetObjectCommand({ ...place, Range: range });
    const { Body } = await (await client()).send(request, { abortSignal: signal });
    if (!Body) throw new Error('the bucket answered nothing');
    return Body as Readable;
  };

  const removeTails = async (key: string, { tails }: Upload): Promise<void> => {
    const { DeleteObjectCommand } = await library();
    for (const parts of tails) await (await client()).send(new DeleteObjectCommand(tailOf(key, parts)), patiently());
  };

  return {
    async append(key, held, from, size, chunks) {
      const upload = from === 0 ? null : uploadIn(held);
      const known: Upload = upload ?? { uploadId: '', etags: [], tail: 0, tails: [] };
      const answer = () => ({ received: Math.min(size, known.etags.length * PART) + known.tail, held: { ...known } });
      try {
        if (!upload) Object.assign(known, await begin(key));
        const buffer = Buffer.allocUnsafeSlow(PART);
        let filled = 0;
        if (known.tail > 0) {
          const tail = await read(tailOf(key, known.etags.length), `bytes=0-${known.tail - 1}`);
          for await (const chunk of tail) filled += (chunk as Buffer).copy(buffer, filled);
          if (filled !== known.tail) throw new Error('the bucket lost the end of what was sent');
        }
        for await (const chunk of chunks) {
          for (let taken = 0; taken < chunk.length;) {
            const copied = chunk.copy(buffer, filled, taken);
            taken += copied;
            filled += copied;
            if (filled < PART) continue;
            await sendPart(key, known, buffer);
            filled = 0;
          }
        }
        if (known.etags.length * PART + filled === size && filled > 0) {
          await sendPart(key, known, buffer.subarray(0, filled));
        } else if (filled > known.tail) {
          const { PutObjectCommand } = await library();
          const behind = known.etags.length;
          const request = { ...tailOf(key, behind), Body: buffer.subarray(0, filled) };
          await (await client()).send(new PutObjectCommand(request), patiently());
          known.tail = filled;
          if (known.tails.at(-1) !== behind) known.tails.push(behind);
        }
        return answer();
      } catch (failure) {
        return { ...answer(), failure };
      }
    },

    async seal(key, held) {
      const { CompleteMultipartUploadCommand, HeadObjectCommand } = await library();
      const upload = uploadIn(held);
      const parts = upload.etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const request = { ...objectOf(key), UploadId: upload.uploadId, MultipartUpload: { Parts: parts } };
      // No deadline but the connection's own: putting a large object together takes a provider minutes.
      await (await client()).send(new CompleteMultipartUploadCommand(request)).catch(async (error: unknown) => {
        // Done before, the upload isn't known any more, but the object is there; providers word that differently.
        await (await client()).send(new HeadObjectCommand(objectOf(key)), patiently()).catch(() => {
          throw error;
        });
      });
      await removeTails(key, upload);
    },

    read: (key, first, last, signal) => read(objectOf(key), `bytes=${first}-${last}`, signal),

    async remove(key, held) {
      const { AbortMultipartUploadCommand, DeleteObjectCommand } = await library();
      const { data: upload } = Upload.safeParse(held);
      if (upload) {
        const request = { ...objectOf(key), UploadId: upload.uploadId };
        // It may be complete, or the provider may know no abort: the bucket's rule for unfinished uploads takes the rest.
        await (await client()).send(new AbortMultipartUploadCommand(request), patiently()).catch(() => undefined);
        await removeTails(key, upload);
      }
      await (await client()).send(new DeleteObjectCommand(objectOf(key)), patiently());
    },
  };
}

function uploadIn(held: Held): Upload {
  return Upload.parse(held);
}

function patiently(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(PATIENCE) };
}
