import type { TargetFacts } from './target-facts.js';

/** What is to be written, and what the person at the terminal said of the target. */
export interface WriteWish {
  /** Of the image, in bytes. */
  sizeBytes: number;
  /** The serial number that was typed for a disk that can't be taken out. */
  forcedSerial: string | null;
}

/** Bytes: no stick is larger, and a disk with somebody's backups may be. */
export const LARGEST_STICK = 1e12;

/** Why an image must not be written there, and what to do; null: it may. */
export function refusalOf(facts: TargetFacts, { sizeBytes, forcedSerial }: WriteWish): string | null {
  const { path, kind, name, capacity, blockSize, readOnly, removable, uses, isSource } = facts;
  if (kind === 'missing') return `There is no ${path}: is the stick plugged in?`;
  if (kind === 'other') return `${path} is neither a disk nor a file.`;
  if (isSource) return `${path} is the image itself.`;
  if (kind === 'partition') return `${path} is a partition: an image is a whole disk. Name its disk, ${name}.`;
  if (uses.length > 0) return `${path} is in use: ${uses.join('; ')}. End that first, as with umount.`;
  if (readOnly) return `${path} can’t be written to.`;
  if (capacity < sizeBytes) return `${path} is too small: it takes ${capacity} bytes, and the image has ${sizeBytes}.`;
  if (kind === 'file') return null;
  if (sizeBytes % blockSize !== 0) {
    return `The image has ${sizeBytes} bytes, which isn’t a multiple of this disk’s blocks of ${blockSize}: it is no image of such a disk.`;
  }
  if (removable && capacity <= LARGEST_STICK) return null;
  const wanted = serialToType(facts);
  if (forcedSerial === wanted) return null;
  const why = removable ? `is larger than any stick (${capacity} bytes)` : 'isn’t a disk that can be taken out';
  return forcedSerial === null
    ? `${path} ${why}. If you mean it: --force-fixed ${wanted}, which is its serial number; everything on it is lost.`
    : `${path} ${why}, and its serial number isn’t ${forcedSerial}. Look again which disk you mean.`;
}

/** What has to be typed for a disk: its serial number, or its name when it tells none. */
export function serialToType({ serial, name }: Pick<TargetFacts, 'serial' | 'name'>): string {
  return serial ?? name;
}
