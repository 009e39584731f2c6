import { describe, expect, it } from 'vitest';
import { bundlePath, entryBundle, newTiles, tilePath } from './tiles.js';

const paths = (before: number, size: number) => [...newTiles(before, size)].map(tilePath);

describe('tiles', () => {
  it('stand where the format says', () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
    expect(tilePath({ level: 1, index: 1_234_067, width: 256 })).toBe('tile/1/x001/x234/067');
    expect(tilePath({ level: 2, index: 1_000, width: 17 })).toBe('tile/2/x001/000.p/17');
    expect(bundlePath({ index: 12, width: 3 })).toBe('tile/entries/012.p/3');
  });

  it('are those of the format’s own example', () => {
    const all = [...newTiles(0, 70_000)];
    expect(all.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
    expect(all.filter(({ level, width }) => level > 0 || width < 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(paths(0, 256)).toEqual(['tile/0/000', 'tile/1/000.p/1']);
  });

  it('are new where the log has grown, and nowhere else', () => {
    expect(paths(256, 256)).toEqual([]);
    expect(paths(256, 257)).toEqual(['tile/0/001.p/1']);
    expect(paths(300, 600)).toEqual(['tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2']);
  });

  it('have entries beside them, each after its length', () => {
    expect(entryBundle(['ab', 'é']).toString('hex')).toBe('000261620002c3a9');
    expect(() => entryBundle(['x'.repeat(65_536)])).toThrow('too long');
  });
});
