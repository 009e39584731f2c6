import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programOnPath } from '../embedded/program-on-path.js';
import { makeReachableFolder } from '../embedded/places.js';
import { hasSshd, makeKey, setUpSshGateway } from '../embedded/ssh-gateway.js';
import { canStartLocalServers, startLocalServer } from './local-server.js';

/** A key pair on somebody's device; the private half stays in its file. */
export interface SshDevice {
  name: string;
  publicKey: string;
  /** Keeps the certificate beside the key, as a person would. */
  keep(certificate: string): Promise<void>;
  keyFile: string;
}

/** A person's open connection, of the real `ssh` program. */
export interface LiveSsh {
  /** What the gateway answered first: the account and its groups. */
  greeting: string;
  /** Resolves with the moment (`performance.now()`) at which it ended. */
  cut: Promise<number>;
  isOpen(): boolean;
  close(): void;
}

/** An OpenSSH gateway of the company's, in name spaces of its own, in which every person has a Unix account. */
export interface SshGateway {
  settings: Readonly<Record<string, string | number>>;
  secrets: { privateKey: string; caKey: string };
  device(name: string): Promise<SshDevice>;
  /** Null when the gateway refuses. */
  enter(username: string, device: SshDevice): Promise<LiveSsh | null>;
  /** The account's expiry as `shadow` has it: `1` is the second of January 1970, and nothing is never. */
  expiryOf(username: string): Promise<string | null>;
  stop(): Promise<void>;
}

export function canRunSshGateway(): boolean {
  return hasSshd() && programOnPath('ssh') !== null && canStartLocalServers();
}

/** Anew at each start, with ids that no run before gave out. Null where sshd isn't installed, or needs rights we lack. */
export async function startSshGateway(folder: string, firstUid: number): Promise<SshGateway | null> {
  if (!canRunSshGateway()) return null;
  await rm(folder, { recursive: true, force: true });
  await makeReachableFolder(folder);
  const files = join(folder, 'files');
  const devices = join(folder, 'devices');
  await mkdir(files, { mode: 0o700 });
  await mkdir(devices, { mode: 0o700 });
  const gateway = await setUpSshGateway(files, { firstUid });
  const { host, port, hostKey, etc, privateKey, caKey } = gateway;
  const stop = await startLocalServer(gateway, join(folder, 'sshd.log'));
  const knownHosts = join(devices, 'known_hosts');
  await writeFile(knownHosts, `[${host}]:${port} ${hostKey}`);
  return {
    settings: { host, port, hostKey, certificateMinutes: 60 },
    secrets: { privateKey, caKey },
    async device(name) {
      const keyFile = join(devices, name);
      await rm(keyFile, { force: true });
      makeKey(keyFile);
      return {
        name,
        publicKey: (await readFile(`${keyFile}.pub`, 'utf8')).trim(),
        keep: (certificate) => writeFile(`${keyFile}-cert.pub`, `${certificate}\n`),
        keyFile,
      };
    },
    enter(username, { keyFile }) {
      const options = [`UserKnownHostsFile=${knownHosts}`, 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes'];
      const more = ['IdentityAgent=none', 'BatchMode=yes', `CertificateFile=${keyFile}-cert.pub`];
      const args = [...options, ...more].map((option) => `-o${option}`);
      const command = 'echo "$(id -un), in $(id -nG | tr " " "\\n" | paste -sd, -)"; exec cat';
      const where = ['-F', '/dev/null', '-i', keyFile, '-p', String(port), `${username}@${host}`, command];
      return liveSsh(spawn('ssh', [...args, ...where], { stdio: ['pipe', 'pipe', 'ignore'], detached: true }));
    },
    async expiryOf(username) {
      const lines = (await readFile(join(etc, 'shadow'), 'utf8')).split('\n').map((line) => line.split(':'));
      return lines.find(([name]) => name === username)?.[7] ?? null;
    },
    stop,
  };
}

async function liveSsh(child: ChildProcess): Promise<LiveSsh | null> {
  let isOpen = true;
  child.stdin?.on('error', () => undefined);
  const cut = once(child, 'exit').then(() => {
    isOpen = false;
    return performance.now();
  });
  const greeting = await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data').then(([chunk]) => String(chunk).trim()),
    cut.then(() => null),
  ]);
  if (greeting === null) return null;
  return { greeting, cut, isOpen: () => isOpen, close: () => void child.kill('SIGKILL') };
}
