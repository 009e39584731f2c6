// Where the hashes of a log stand when they are published as plain files (c2sp.org/tlog-tiles): 256 of them a file, and
// those of the level above are the roots of the full files below.

/** How many hashes a full tile holds. */
export const TILE_WIDTH = 256;

export interface Tile {
  /** 0 holds the leaves' hashes; each above it the roots of 256 of the one below. */
  level: number;
  index: number;
  /** 1 to 256. */
  width: number;
}

/** As in `tile/0/x001/234` and, where it isn't full, `tile/0/x001/234.p/70`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${placePath(index, width)}`;
}

/** Where the entries stand whose hashes make the tile of level 0 with this index. */
export function bundlePath({ index, width }: Omit<Tile, 'level'>): string {
  return `tile/entries/${placePath(index, width)}`;
}

function placePath(index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** The tiles that a log of `size` entries has and one of `before` entries hasn't, lowest level first. */
export function* newTiles(before: number, size: number): Generator<Tile> {
  let [had, has] = [before, size];
  for (let level = 0; has > 0; level += 1) {
    const full = Math.floor(has / TILE_WIDTH);
    for (let index = Math.floor(had / TILE_WIDTH); index < full; index += 1) yield { level, index, width: TILE_WIDTH };
    if (has % TILE_WIDTH > 0 && has > had) yield { level, index: full, width: has % TILE_WIDTH };
    [had, has] = [Math.floor(had / TILE_WIDTH), full];
  }
}

/**
 * Entries in one file, each after its length in two bytes.
 * @throws RangeError for an entry beyond 65,535 bytes, which the format has no room for
 */
export function entryBundle(leaves: readonly string[]): Buffer {
  return Buffer.concat(
    leaves.flatMap((leaf) => {
      const data = Buffer.from(leaf);
      if (data.length > 0xffff) throw new RangeError('an entry is too long to be published');
      const length = Buffer.alloc(2);
      length.writeUInt16BE(data.length);
      return [length, data];
    }),
  );
}
