import { readFile } from 'node:fs/promises';

/** Memory of one process, in MB. Linux tells it in /proc; elsewhere it can't be taken. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`the system does not tell how much memory process ${pid} uses`);
  return Number(kilobytes) / 1024;
}
