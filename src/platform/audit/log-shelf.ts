import { folderShelf } from './folder-shelf.js';
import { s3Shelf } from './s3-shelf.js';

/** A place outside of the database where the log is published: files by their path (`tiles.ts`). */
export interface LogShelf {
  /** Null where there is none. */
  read(path: string): Promise<Buffer | null>;
  /** Nobody sees half of it. */
  write(path: string, content: Buffer | string): Promise<void>;
}

/** An address that is none, with what to write instead. */
export class ShelfAddressError extends Error {
  override readonly name = 'ShelfAddressError';
}

/**
 * The place that an address means: `/srv/audit`, or `s3://bucket/prefix?endpoint=https://…&region=…`. Nothing is opened
 * or asked yet.
 * @throws ShelfAddressError
 */
export function shelfAt(address: string): LogShelf {
  if (address.startsWith('/')) return folderShelf(address);
  const url = URL.parse(address);
  if (url?.protocol === 's3:' && url.hostname !== '' && url.username === '' && url.password === '') {
    return s3Shelf({
      bucket: url.hostname,
      prefix: decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, ''),
      endpoint: url.searchParams.get('endpoint') ?? undefined,
      region: url.searchParams.get('region') ?? undefined,
    });
  }
  throw new ShelfAddressError(
    "isn't a place to publish to: write a folder from the root on, as in /srv/audit, or s3://bucket/prefix (keys come from the environment, never from the address)",
  );
}

/** Null for an address that `shelfAt` takes. */
export function problemOfAddress(address: string): string | null {
  try {
    shelfAt(address);
    return null;
  } catch (error) {
    if (error instanceof ShelfAddressError) return error.message;
    throw error;
  }
}
