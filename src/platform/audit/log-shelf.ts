import { placeAt } from '../storage/place.js';
import { folderShelf } from './folder-shelf.js';
import { s3Shelf } from './s3-shelf.js';

/** A place outside of the database where the log is published: files by their path (`tiles.ts`). */
export interface LogShelf {
  /** Null where there is none. */
  read(path: string): Promise<Buffer | null>;
  /** Nobody sees half of it. */
  write(path: string, content: Buffer | string): Promise<void>;
}

/**
 * The shelf at an address, as `placeAt` reads it. Nothing is opened or asked yet.
 * @param region of a bucket whose address names none
 * @throws PlaceAddressError
 */
export function shelfAt(address: string, region?: string): LogShelf {
  const place = placeAt(address, region);
  return place.kind === 'folder' ? folderShelf(place.folder) : s3Shelf(place);
}
