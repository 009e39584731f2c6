import { describe, expect, it } from 'vitest';
import { comparePackages } from './compare-packages.js';

const deb = (name: string, version = '1') => ({ name, version, list: 'deb' });

describe('packages against those that an image pins', () => {
  it('are missing, of another version, or as they should be; what nothing pins is counted', () => {
    const pinned = [deb('curl', '8.14'), deb('linux', '6.12'), deb('xz', '5.8'), deb('zsh')];
    const installed = [
      deb('curl', '8.14'),
      deb('linux', '6.11'),
      deb('linux', '6.10'),
      deb('zsh'),
      deb('vim'),
      deb('vim', '2'),
    ];
    expect(comparePackages(pinned, installed)).toEqual({
      missing: [deb('xz', '5.8')],
      otherVersion: [{ ...deb('linux', '6.12'), installed: ['6.11', '6.10'] }],
      extra: 2,
    });
  });

  it('are there when one of several installed versions is the pinned one', () => {
    const kernels = [deb('linux', '6.11'), deb('linux', '6.12')];
    expect(comparePackages([deb('linux', '6.12')], kernels)).toEqual({ missing: [], otherVersion: [], extra: 0 });
  });

  it('of another list are others: a program isn’t the package of its name', () => {
    const flatpak = { ...deb('curl'), list: 'flatpak' };
    expect(comparePackages([deb('curl')], [flatpak])).toEqual({ missing: [deb('curl')], otherVersion: [], extra: 1 });
  });
});
