import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { ImageVersionView } from '../images/images-views.js';
import { goOn } from './again.js';
import { away, type ApiClient } from './api-client.js';
import { CommandFailure } from './command.js';
import { showProgress } from './progress.js';

type Version = Pick<z.infer<typeof ImageVersionView>, 'id'> & { sizeBytes: number; sha256: string };
type Note = (line: string) => void;

/** Bytes: what a link of 5 Mbit/s sends within the time that the service gives a request. */
const PIECE = 16 << 20;
/** Bytes that are read of a file at once. */
const BLOCK = 1 << 20;
/** Milliseconds between two questions whether the hash is known. */
const ASKING = 500;

/** SHA-256 in lower-case hex, and size in bytes. */
export async function hashOf(path: string, note: Note): Promise<{ sha256: string; sizeBytes: number }> {
  const file = await open(path, constants.O_RDONLY).catch((error: Error) => {
    throw new CommandFailure(`${path} can't be read: ${error.message}.`);
  });
  try {
    const { size: sizeBytes } = await file.stat();
    const hash = createHash('sha256');
    const tell = showProgress(note, 'computing the hash', sizeBytes);
    await hashFile(file, sizeBytes, hash, tell);
    return { sha256: hash.digest('hex'), sizeBytes };
  } finally {
    await file.close();
  }
}

/** Sends what the service lacks, and waits until it has read it back. @throws CommandFailure for another hash */
export async function uploadContent(api: ApiClient, version: Version, path: string, note: Note): Promise<void> {
  const at = `/v1/images/versions/${version.id}`;
  const tus = { 'tus-resumable': '1.0.0' };
  const file = await open(path, constants.O_RDONLY);
  try {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, version.sizeBytes));
    const tell = showProgress(note, 'sending', version.sizeBytes);
    let there: number | null = null;
    await goOn(async () => {
      there ??= offsetIn(await api.send(`${at}/upload`, { method: 'HEAD', headers: tus }));
      if (there === version.sizeBytes) return null;
      tell(there);
      const { bytesRead } = await file.read(piece, 0, piece.length, there);
      if (bytesRead === 0) throw new CommandFailure(`${path} became shorter while it was sent.`);
      const from = there;
      // After a failure nobody knows how much arrived.
      there = null;
      const answer = await api.send(`${at}/upload`, {
        method: 'PATCH',
        headers: { ...tus, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
        body: piece.subarray(0, bytesRead),
      });
      return (there = offsetIn(answer));
    }, note);
  } finally {
    await file.close();
  }
  const tell = showProgress(note, 'the service reads it back', version.sizeBytes);
  for (;;) {
    const { content } = await api.ask(ImageVersionView, 'POST', `${at}/check`);
    if (content?.state === 'stored') return;
    if (content?.state !== 'received' || content.problem !== null) {
      throw new CommandFailure(content?.problem ?? 'The service lost what was sent. Send it again.');
    }
    tell(content.checkedBytes);
    await pause(ASKING);
  }
}

/**
 * Fetches a content into a file, which is there only once it is whole and its hash is right. What an earlier try left beside
 * it is gone on with.
 */
export async function downloadContent(api: ApiClient, version: Version, path: string, note: Note): Promise<void> {
  const { id, sizeBytes, sha256 } = version;
  const draft = `${path}.part`;
  const file = await open(draft, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    let hash = createHash('sha256');
    let there = Math.min((await file.stat()).size, sizeBytes);
    await file.truncate(there);
    await hashFile(file, there, hash, showProgress(note, 'looking at what is here', there));
    const tell = showProgress(note, 'fetching', sizeBytes);
    await goOn(async () => {
      if (there === sizeBytes) return null;
      const headers = { range: `bytes=${there}-`, 'if-range': `"sha256-${sha256}"` };
      const answer = await api.send(`/v1/images/versions/${id}/content`, { method: 'GET', headers });
      if (answer.status !== 206 && there > 0) [hash, there] = [createHash('sha256'), 0];
      try {
        for await (const chunk of answer.body ?? []) {
          await writeAll(file, chunk, there);
          hash.update(chunk);
          there += chunk.length;
          tell(there);
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).syscall === 'write') throw error;
        throw away('the service', error);
      }
      return there;
    }, note);
    const found = hash.digest('hex');
    if (found !== sha256) {
      await rm(draft, { force: true });
      throw new CommandFailure(`What came has the SHA-256 ${found}, not ${sha256}: it was deleted. Fetch it again.`);
    }
    await file.sync();
    await rename(draft, path);
  } finally {
    await file.close();
  }
}

async function hashFile(file: FileHandle, size: number, hash: Hash, tell: (done: number) => void): Promise<void> {
  if (size === 0) return;
  let done = 0;
  const content = file.createReadStream({ start: 0, end: size - 1, highWaterMark: BLOCK, autoClose: false });
  for await (const chunk of content) {
    hash.update(chunk as Buffer);
    tell((done += (chunk as Buffer).length));
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
}

function offsetIn(answer: Response): number {
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw new CommandFailure('The service doesn’t say how much of it is there.');
  return offset;
}
