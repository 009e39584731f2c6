import type { Readable } from 'node:stream';
import { placeAt } from '../../platform/storage/place.js';
import { bucketStore } from './bucket-store.js';
import { folderStore } from './folder-store.js';

/** What a store has to be told when it goes on with a content; it made it itself, and nobody else reads it. */
export type Held = Record<string, unknown>;

export interface Appended {
  /** So many bytes of the content are safe from now on: fewer than came, where the store failed or keeps whole parts only. */
  received: number;
  held: Held;
  /** Why it could not keep more. */
  failure?: unknown;
}

/** Keeps the contents of images, each under a key. Memory stays the same however large they are. */
export interface ImageStore {
  /**
   * Keeps what comes, from this place on.
   * @param from how many bytes are there, as the call before answered
   * @param size of the whole content; no more than that comes
   */
  append(key: string, held: Held, from: number, size: number, chunks: AsyncIterable<Buffer>): Promise<Appended>;
  /** All of it came: makes it one thing that can be read. Done before, it changes nothing. */
  seal(key: string, held: Held): Promise<void>;
  /** The bytes from the first to the last of these, both included. Ends with an error when the store fails. */
  read(key: string, first: number, last: number, signal: AbortSignal): Promise<Readable>;
  /** Whatever is there of it. */
  remove(key: string, held: Held): Promise<void>;
}

/** @param address as `placeAt` takes it. @throws PlaceAddressError */
export function imageStoreAt(address: string): ImageStore {
  const place = placeAt(address);
  return place.kind === 'folder' ? folderStore(place.folder) : bucketStore(place);
}
