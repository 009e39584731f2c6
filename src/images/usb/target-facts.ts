import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** What is known of where an image is to be written, before anything is opened. */
export interface TargetFacts {
  /** Without symbolic links. */
  path: string;
  /** Partition: of a disk. Missing: there is nothing. Other: a folder, a terminal … */
  kind: 'disk' | 'partition' | 'file' | 'missing' | 'other';
  /** As the kernel calls it, as in `sdb`; of a partition, its disk. Of a file, its path. */
  name: string;
  /** Bytes; of a file, what it may grow to. */
  capacity: number;
  /** Bytes that are written at once at least. */
  blockSize: number;
  readOnly: boolean;
  /** It says that it can be taken out, or is on USB. */
  removable: boolean;
  serial: string | null;
  model: string | null;
  /** What it is used for at the moment, or a part of it, in words: `mounted at /media/stick`. */
  uses: string[];
  /** It is the very image that is to be written. */
  isSource: boolean;
}

/** Where Linux tells of itself; a test tells something else. */
export interface KernelTree {
  proc: string;
  sys: string;
}

/** Of a disk that doesn't tell, and of files. */
const SECTOR = 512;
const PAGE = 4096;

/** @param source the image, when it is known */
export async function targetFacts(
  target: string,
  source: string | null,
  { proc, sys }: KernelTree = { proc: '/proc', sys: '/sys' },
): Promise<TargetFacts> {
  const path = await realpath(target).catch(() => resolve(target));
  const found = await stat(path).catch(() => null);
  const isSource = source !== null && found !== null && (await isSame(path, source));
  if (found?.isBlockDevice()) return diskFacts(path, found.rdev, source, isSource, { proc, sys });
  const nothing = { path, name: path, capacity: 0, blockSize: PAGE, readOnly: false, removable: true };
  const about = { ...nothing, serial: null, model: null, uses: [], isSource };
  if (found && !found.isFile()) return { ...about, kind: 'other' };
  // A file there would fill the memory that holds /dev, in place of the stick that somebody pulled out.
  if (!found && path.startsWith('/dev/')) return { ...about, kind: 'missing' };
  const room = await statfs(dirname(path)).catch(() => null);
  if (!room) return { ...about, kind: 'missing' };
  const capacity = room.bavail * room.bsize + (found?.blocks ?? 0) * SECTOR;
  const uses = [...(await swapsAt(proc, (name) => name === path)), ...(await loopsBehind(sys, path))];
  const isLocked =
    found !== null &&
    (await access(path, constants.W_OK).then(
      () => false,
      () => true,
    ));
  return { ...about, kind: 'file', capacity: Math.max(capacity, found?.size ?? 0), uses, readOnly: isLocked };
}

async function diskFacts(
  path: string,
  device: number,
  source: string | null,
  isSource: boolean,
  { proc, sys }: KernelTree,
): Promise<TargetFacts> {
  const node = await realpath(join(sys, 'dev/block', numberOf(device)));
  const isPartition = (await textAt(node, 'partition')) !== null;
  const disk = isPartition ? dirname(node) : node;
  const members = await withAllUpon(disk, sys);
  const numbers = new Set(members.map(({ number }) => number));
  const behind = await textAt(disk, 'loop/backing_file');
  return {
    path,
    kind: isPartition ? 'partition' : 'disk',
    name: basename(disk),
    capacity: Number((await textAt(node, 'size')) ?? 0) * SECTOR,
    blockSize: Number((await textAt(disk, 'queue/logical_block_size')) ?? SECTOR),
    readOnly: (await textAt(node, 'ro')) === '1',
    removable: (await textAt(disk, 'removable')) === '1' || /\/usb\d+\//.test(disk),
    serial: await serialOf(disk),
    model: await textAt(disk, 'device/model'),
    uses: [
      ...(await mountsOf(proc, numbers)),
      ...(await swapsAt(proc, async (name) => numbers.has(await numberAt(name)))),
      ...members.flatMap(({ name, holders }) => holders.map((holder) => `${name} is held by ${holder}`)),
    ],
    isSource: isSource || (source !== null && behind !== null && (await isSame(behind, source))),
  };
}

interface Member {
  name: string;
  /** As in `8:17`. */
  number: string;
  /** What the kernel made upon it, as in `dm-0`: an opened LUKS, a volume, an array. */
  holders: string[];
}

/** A disk with its partitions, and whatever was made upon any of them. */
async function withAllUpon(node: string, sys: string): Promise<Member[]> {
  const holders = await namesIn(join(node, 'holders'));
  const member = { name: basename(node), number: (await textAt(node, 'dev')) ?? '', holders };
  const upon: string[] = holders.map((holder) => join(sys, 'class/block', holder));
  for (const name of await namesIn(node)) {
    if ((await textAt(join(node, name), 'partition')) !== null) upon.push(join(node, name));
  }
  const others: Member[] = [];
  for (const one of upon) others.push(...(await withAllUpon(await realpath(one), sys)));
  return [member, ...others];
}

/** Of proc(5), mountinfo: the device stands in the third field, its path behind the ` - `. */
async function mountsOf(proc: string, numbers: ReadonlySet<string>): Promise<string[]> {
  const uses: string[] = [];
  for (const line of (await textAt(proc, 'self/mountinfo'))?.split('\n') ?? []) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , number = '', , place = ''] = before.split(' ');
    const [, device = ''] = after.split(' ');
    // Btrfs and others give a number of their own; their path tells.
    const isIts = numbers.has(number) || (device.startsWith('/dev/') && numbers.has(await numberAt(unescaped(device))));
    if (isIts) uses.push(`mounted at ${unescaped(place)}`);
  }
  return uses;
}

async function swapsAt(proc: string, isIts: (name: string) => boolean | Promise<boolean>): Promise<string[]> {
  const uses: string[] = [];
  for (const line of (await textAt(proc, 'swaps'))?.split('\n').slice(1) ?? []) {
    const name = unescaped(line.split(/\s+/)[0] ?? '');
    if (name.startsWith('/') && (await isIts(name))) uses.push(`memory is swapped to ${name}`);
  }
  return uses;
}

/** Loop devices that show this file. */
async function loopsBehind(sys: string, path: string): Promise<string[]> {
  const uses: string[] = [];
  for (const name of await namesIn(join(sys, 'class/block'))) {
    if (!name.startsWith('loop')) continue;
    if ((await textAt(join(sys, 'class/block', name), 'loop/backing_file')) === path) uses.push(`shown as ${name}`);
  }
  return uses;
}

/** A stick's own is the USB device's, some folders further up; others have it beside them. */
async function serialOf(disk: string): Promise<string | null> {
  for (const file of ['serial', 'device/serial']) {
    const serial = await textAt(disk, file);
    if (serial !== null) return serial;
  }
  const device = await realpath(join(disk, 'device')).catch(() => null);
  for (let folder = device; folder !== null && folder.includes('/usb'); folder = dirname(folder)) {
    const serial = await textAt(folder, 'serial');
    if (serial !== null) return serial;
  }
  return null;
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  if (!a || !b) return false;
  return a.isBlockDevice() ? b.isBlockDevice() && a.rdev === b.rdev : a.dev === b.dev && a.ino === b.ino;
}

async function numberAt(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  return found?.isBlockDevice() ? numberOf(found.rdev) : '';
}

/** As in `8:17`, of a device number as glibc packs it (sysmacros.h). */
function numberOf(device: number): string {
  const number = BigInt(device);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** Null where there is none: sysfs fills names that a device doesn't tell with blanks. */
async function textAt(folder: string, file: string): Promise<string | null> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => '');
  return text.trim() === '' ? null : text.trim();
}

async function namesIn(folder: string): Promise<string[]> {
  const found = await lstat(folder).catch(() => null);
  return found?.isDirectory() ? readdir(folder) : [];
}

/** Spaces and the like are written as `\040` there. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
