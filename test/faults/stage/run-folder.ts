import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { commandLine } from '../../../scripts/embedded/process-list.js';

/** What the small disks of a run are mounted as. */
export const SMALL_DISK = 'quartermaster-faults';

/** Lets go of the small disks that killed runs left mounted, so that their folders can be removed. */
export function unmountAbandoned(): void {
  for (const { device, place } of mounts()) {
    const owner = Number(/quartermaster-test-(\d+)-/.exec(place)?.[1]);
    if (device !== SMALL_DISK || !owner || commandLine(owner) !== '') continue;
    try {
      execFileSync('umount', ['--lazy', place], { stdio: 'ignore' });
    } catch {
      // Another run does it at this moment.
    }
  }
}

function mounts(): { device: string; place: string }[] {
  try {
    return readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([device = '', place = '']) => ({ device, place }));
  } catch {
    return [];
  }
}
