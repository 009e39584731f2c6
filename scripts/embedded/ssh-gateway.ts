import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { cloneFolder } from './places.js';
import { programOnPath } from './program-on-path.js';
import { runsAsRoot } from './server-user.js';

/** A gateway that is set up, and how to start it. */
export interface SshGatewaySetup {
  program: string;
  args: readonly string[];
  isReady: () => Promise<boolean>;
  host: '127.0.0.1';
  port: number;
  folder: string;
  /** The gateway's own /etc and the state of our forced command, as seen from here. */
  etc: string;
  state: string;
  hostKey: string;
  /** The key that may run the forced command, and the authority's. */
  privateKey: string;
  caKey: string;
}

export interface GatewayOptions {
  /** Lines of sshd_config instead of the example's that begin with the same keyword. */
  sshdConfig?: Readonly<Record<string, string>>;
  /** The first uid that it gives out; 20000 otherwise. */
  firstUid?: number;
  /** The forced command instead of ours. */
  command?: string;
}

/** Groups that this gateway lets Quartermaster grant; `wheel` is there and may not be granted. */
export const GRANTABLE = ['developers', 'operators'] as const;

/**
 * The gateway makes accounts and kills processes by uid, so it gets name spaces of its own: its /etc, /home and /root are
 * its own, and it sees no process of the machine's.
 */
const IN_ITS_OWN_NAMESPACES = [
  '--mount',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
  '--propagation',
  'private',
];

export function hasSshd(): boolean {
  if (!programOnPath('sshd') || !runsAsRoot()) return false;
  return spawnSync('unshare', [...IN_ITS_OWN_NAMESPACES, 'true']).status === 0;
}

/** OpenSSH (apt: openssh-server) in an empty folder, set up as the connector's README says; starts in half a second. */
export async function setUpSshGateway(folder: string, options: GatewayOptions = {}): Promise<SshGatewaySetup> {
  const program = programOnPath('unshare');
  const sshd = programOnPath('sshd');
  if (!program || !sshd) throw new Error("OpenSSH isn't installed: apt-get install openssh-server");
  const etc = join(folder, 'etc');
  await cp('/etc', etc, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.startsWith('/etc/ssl') });
  const keys = join(folder, 'keys');
  await mkdir(keys);
  for (const name of ['host', 'service', 'ca']) makeKey(join(keys, name));

  const ours = join(etc, 'quartermaster');
  const state = join(ours, 'state');
  await mkdir(join(state, 'connections'), { recursive: true });
  for (const name of ['quartermaster-gateway', 'quartermaster-principals']) {
    await copyFile(join(cloneFolder(), 'connectors/ssh-gateway/gateway', name), join(ours, name));
    await chmod(join(ours, name), 0o755);
  }
  const port = await freePort();
  const conf = [
    'STATE=/etc/quartermaster/state',
    'SSHD_CONFIG=/etc/quartermaster/sshd_config',
    `FIRST_UID=${options.firstUid ?? 20_000}`,
    `GRANTABLE='${GRANTABLE.join(' ')}'`,
    // So that a listing has more than one.
    'PAGE_SIZE=10',
  ];
  await writeFile(join(ours, 'quartermaster-gateway.conf'), `${conf.join('\n')}\n`);
  await writeFile(join(ours, 'sshd_config'), await sshdConfig(port, options.sshdConfig ?? {}));
  await copyFile(join(keys, 'ca.pub'), join(ours, 'ca.pub'));
  await copyFile(join(keys, 'host'), join(ours, 'host_key'));
  await chmod(join(ours, 'host_key'), 0o600);
  const command = options.command ?? '/etc/quartermaster/quartermaster-gateway';
  const publicKey = await readFile(join(keys, 'service.pub'), 'utf8');
  await writeFile(join(ours, 'authorized_keys'), `restrict,command="${command}" ${publicKey}`);
  execFileSync('ssh-keygen', ['-q', '-k', '-f', join(state, 'krl')]);
  execFileSync('chown', ['-R', '0:0', ours]);

  const script = [
    `mount --bind ${etc} /etc`,
    'mount -t tmpfs -o mode=755 tmpfs /home',
    // The forced command is run by root's shell, which reads what this machine's root has in its home folder.
    'mount -t tmpfs -o mode=700 tmpfs /root',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'mkdir -p /run/sshd',
    ...[...GRANTABLE, 'wheel'].map((group) => `groupadd ${group}`),
    'useradd --system --shell /usr/sbin/nologin quartermaster-sshd',
    'chown quartermaster-sshd /etc/quartermaster/state/connections',
    `exec ${sshd} -D -e -f /etc/quartermaster/sshd_config`,
  ].join(' && ');
  const text = (name: string) => readFile(join(keys, name), 'utf8');
  return {
    program,
    args: [...IN_ITS_OWN_NAMESPACES, 'sh', '-c', script],
    isReady: () => greets(port),
    host: '127.0.0.1',
    port,
    folder,
    etc,
    state,
    hostKey: await text('host.pub'),
    privateKey: await text('service'),
    caKey: await text('ca'),
  };
}

export function makeKey(path: string, type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test', '-f', path]);
}

/** The example that the README gives, at this machine's places. */
async function sshdConfig(port: number, instead: Readonly<Record<string, string>>): Promise<string> {
  const example = await readFile(join(cloneFolder(), 'connectors/ssh-gateway/gateway/sshd_config.example'), 'utf8');
  const placed = example
    .replaceAll('/etc/ssh/quartermaster-ca.pub', '/etc/quartermaster/ca.pub')
    .replaceAll('/etc/ssh/quartermaster-authorized_keys', '/etc/quartermaster/authorized_keys')
    .replaceAll('/usr/local/lib/quartermaster/', '/etc/quartermaster/')
    .replaceAll('/var/lib/quartermaster-gateway/', '/etc/quartermaster/state/');
  const lines = placed.split('\n').map((line) => {
    const keyword = line.split(' ')[0] ?? '';
    return instead[keyword] === undefined ? line : instead[keyword];
  });
  const place = [`Port ${port}`, 'ListenAddress 127.0.0.1', 'HostKey /etc/quartermaster/host_key', 'PidFile none'];
  return [...place, 'UsePAM no', 'LogLevel VERBOSE', 'MaxStartups 100', ...lines].join('\n');
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('SSH-'));
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
