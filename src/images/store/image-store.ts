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

/** What comes of a content, and where it belongs. */
export interface Incoming {
  /** So many bytes are there, as the call before answered. */
  from: number;
  /** Of the whole content; no more than that comes. */
  size: number;
  chunks: AsyncIterable<Buffer>;
}

/**
 * Keeps the contents of images, each under a key. Memory stays the same however large they are. Where a signal fires, somebody
 * else may begin: nothing is written from then on, and the call ends.
 */
export interface ImageStore {
  append(key: string, held: Held, incoming: Incoming, signal: AbortSignal): Promise<Appended>;
  /** All of it came: makes it one thing that can be read. Done before, it changes nothing. */
  seal(key: string, held: Held, signal: AbortSignal): Promise<void>;
  /** The bytes from the first to the last of these, both included. Ends with an error when the store fails. */
  read(key: string, first: number, last: number, signal: AbortSignal): Promise<Readable>;
  /** Whatever is there of it. */
  remove(key: string, held: Held, signal: AbortSignal): Promise<void>;
}

/** Provided by the module: an `ImageStore`, or null where none is configured. */
export const IMAGE_STORE = Symbol('IMAGE_STORE');

/**
 * @param address as `placeAt` takes it
 * @param region of a bucket whose address names none
 * @throws PlaceAddressError
 */
export function imageStoreAt(address: string, region?: string): ImageStore {
  const place = placeAt(address, region);
  return place.kind === 'folder' ? folderStore(place.folder) : bucketStore(place);
}
