import { mkdir, mkdtemp, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { LARGEST_STICK, refusalOf } from './refuse-target.js';
import { targetFacts, type KernelTree, type TargetFacts } from './target-facts.js';

const A_STICK: TargetFacts = {
  path: '/dev/sdb',
  kind: 'disk',
  name: 'sdb',
  capacity: 32e9,
  blockSize: 512,
  readOnly: false,
  removable: true,
  serial: 'STICK-1',
  model: 'Ultra',
  uses: [],
  isSource: false,
};
const sizeBytes = 8e9;

describe('a target', () => {
  it('is taken when it is a stick that nobody uses and that the image fits on, or a file with room', () => {
    expect(refusalOf(A_STICK, { sizeBytes, forcedSerial: null })).toBeNull();
    const file = { ...A_STICK, kind: 'file' as const, removable: false, serial: null };
    expect(refusalOf(file, { sizeBytes: 8e9 + 1, forcedSerial: null })).toBeNull();
  });

  it.each<[string, Partial<TargetFacts>, string]>([
    ['missing', { kind: 'missing' }, 'is the stick plugged in'],
    ['a folder', { kind: 'other' }, 'neither a disk nor a file'],
    ['a partition', { kind: 'partition', path: '/dev/sdb1' }, 'Name its disk, sdb'],
    ['mounted, in part', { uses: ['mounted at /media/stick'] }, 'in use: mounted at /media/stick'],
    ['the image itself', { isSource: true }, 'the image itself'],
    ['locked', { readOnly: true }, 'can’t be written to'],
    ['too small', { capacity: sizeBytes - 1 }, 'too small'],
    ['of larger blocks', { blockSize: 4096 }, 'isn’t a multiple'],
    ['a fixed disk', { removable: false }, '--force-fixed STICK-1'],
    ['a disk of backups', { capacity: LARGEST_STICK + 1 }, 'larger than any stick'],
  ])('is refused when it is %s', (_what, facts, why) => {
    const size = facts.blockSize === undefined ? sizeBytes : sizeBytes + 512;
    expect(refusalOf({ ...A_STICK, ...facts }, { sizeBytes: size, forcedSerial: null })).toContain(why);
  });

  it('that can’t be taken out is written to by whoever types its serial number, and nothing else is forced by that', () => {
    const fixed = { ...A_STICK, removable: false };
    expect(refusalOf(fixed, { sizeBytes, forcedSerial: 'STICK-1' })).toBeNull();
    expect(refusalOf(fixed, { sizeBytes, forcedSerial: 'STICK-2' })).toContain('isn’t STICK-2');
    expect(refusalOf({ ...fixed, serial: null }, { sizeBytes, forcedSerial: 'sdb' })).toBeNull();
    expect(refusalOf({ ...fixed, uses: ['mounted at /'] }, { sizeBytes, forcedSerial: 'STICK-1' })).toContain('in use');
  });
});

describe('what Linux tells of a target', () => {
  let tree: KernelTree;
  /** Block devices of this machine, for their numbers; what they are stands in the tree. */
  let stick: { path: string; number: string };
  let volume: { path: string; number: string };

  const tell = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${text}\n`);
  };

  beforeAll(async () => {
    const root = await mkdtemp(join(inject('runFolder'), 'kernel-'));
    tree = { proc: join(root, 'proc'), sys: join(root, 'sys') };
    const known = await readdir('/sys/class/block');
    const [one, other] = await Promise.all(
      known.slice(0, 2).map(async (name) => {
        const { rdev } = await stat(`/dev/${name}`);
        return { path: `/dev/${name}`, number: `${rdev >> 8}:${rdev & 0xff}` };
      }),
    );
    if (!one || !other) throw new Error('this machine has no two block devices whose numbers could be borrowed');
    [stick, volume] = [one, other];
    const usb = join(tree.sys, 'devices/pci0/usb1/1-1');
    const disk = join(usb, '1-1:1.0/host0/block/sdb');
    await tell(join(usb, 'serial'), '4C5300012345');
    await tell(join(disk, 'size'), '62500000');
    await tell(join(disk, 'removable'), '0');
    await tell(join(disk, 'ro'), '0');
    await tell(join(disk, 'dev'), stick.number);
    await tell(join(disk, 'queue/logical_block_size'), '512');
    await tell(join(disk, '../../model'), 'Ultra Fit');
    await symlink('../..', join(disk, 'device'));
    await tell(join(disk, 'sdb1/partition'), '1');
    await tell(join(disk, 'sdb1/dev'), '8:17');
    await tell(join(disk, 'sdb1/size'), '2048');
    await mkdir(join(disk, 'sdb1/holders'), { recursive: true });
    await mkdir(join(tree.sys, 'dev/block'), { recursive: true });
    await mkdir(join(tree.sys, 'class/block'), { recursive: true });
    await symlink(disk, join(tree.sys, 'dev/block', stick.number));
    await tell(join(tree.sys, 'devices/virtual/block/dm-7/dev'), volume.number);
    await symlink(join(tree.sys, 'devices/virtual/block/dm-7'), join(tree.sys, 'class/block/dm-7'));
    await tell(join(tree.proc, 'self/mountinfo'), '22 27 0:21 / /proc rw - proc proc rw');
    await tell(join(tree.proc, 'swaps'), 'Filename\tType\tSize\tUsed\tPriority');
  });

  it('of a stick: its size, the serial number of its USB device, that nobody uses it', async () => {
    expect(await targetFacts(stick.path, null, tree)).toMatchObject({
      kind: 'disk',
      name: 'sdb',
      capacity: 32e9,
      blockSize: 512,
      removable: true,
      serial: '4C5300012345',
      model: 'Ultra Fit',
      uses: [],
    });
  });

  it('of a stick that tells no name: none, which the service takes, rather than blanks', async () => {
    const model = join(tree.sys, 'devices/pci0/usb1/1-1/1-1:1.0/host0/model');
    await tell(model, ' '.repeat(16));
    expect(await targetFacts(stick.path, null, tree)).toMatchObject({ model: null });
    await tell(model, 'Ultra Fit');
  });

  it('of what is mounted: a partition of it, what lies upon one, and what hides its number', async () => {
    const uses = async (mountinfo: string, swaps = '') => {
      await tell(join(tree.proc, 'self/mountinfo'), mountinfo);
      await tell(join(tree.proc, 'swaps'), `Filename\n${swaps}`);
      return (await targetFacts(stick.path, null, tree)).uses;
    };
    expect(await uses(`30 27 8:17 / /media/my\\040stick rw shared:1 - vfat /dev/sdb1 rw`)).toEqual([
      'mounted at /media/my stick',
    ]);
    expect(await uses(`30 27 0:55 /@ /btrfs rw - btrfs ${stick.path} rw`)).toEqual(['mounted at /btrfs']);
    expect(await uses('', `${stick.path} partition 1 0 -2`)).toEqual([`memory is swapped to ${stick.path}`]);
    expect(await uses('31 27 8:33 / /other rw - ext4 /dev/sdc1 rw')).toEqual([]);
    await writeFile(join(tree.sys, 'devices/pci0/usb1/1-1/1-1:1.0/host0/block/sdb/sdb1/holders/dm-7'), '');
    expect(await uses(`32 27 ${volume.number} / /home rw - ext4 /dev/mapper/home rw`)).toEqual([
      'mounted at /home',
      'sdb1 is held by dm-7',
    ]);
  });

  it('of files: room, and that there is nothing where a stick was', async () => {
    const folder = await mkdtemp(join(inject('runFolder'), 'target-'));
    const file = join(folder, 'stick.img');
    await writeFile(file, 'x');
    await symlink(file, join(folder, 'link'));
    expect(await targetFacts(file, file)).toMatchObject({ kind: 'file', isSource: true });
    expect(await targetFacts(join(folder, 'link'), file)).toMatchObject({ path: file, isSource: true });
    expect((await targetFacts(join(folder, 'new'), file)).capacity).toBeGreaterThan(1e6);
    expect(await targetFacts('/dev/sd-that-was-pulled', file)).toMatchObject({ kind: 'missing' });
    expect(await targetFacts(folder, file)).toMatchObject({ kind: 'other' });
  });
});
