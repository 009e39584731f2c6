import { readFileSync } from 'node:fs';

export interface ServerUser {
  uid: number;
  gid: number;
}

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Whom embedded servers run as: ourselves, or `nobody` when we are root, since PostgreSQL refuses to run as root.
 * Undefined means ourselves.
 */
export function serverUser(): ServerUser | undefined {
  if (!runsAsRoot()) return undefined;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  const [uid, gid] = [Number(entry?.[2]), Number(entry?.[3])];
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new Error(
      'PostgreSQL refuses to run as root and there is no user nobody to run it as. Run as an ordinary user.',
    );
  }
  return { uid, gid };
}
