import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../scripts/embedded/free-port.js';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import { runsAsRoot } from '../../../scripts/embedded/server-user.js';
import { makeToolFolder, programOnPath, startToolProcess } from './tool-process.js';

export interface TestGateway {
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
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Lines of sshd_config instead of the example's that begin with the same keyword. */
  sshdConfig?: Readonly<Record<string, string>>;
  /** The forced command instead of ours. */
  command?: string;
}

/** Groups that the test gateway lets Quartermaster grant; `wheel` is there and may not be granted. */
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

/** OpenSSH (apt: openssh-server) set up as the connector's README says; starts in half a second. */
export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const program = programOnPath('unshare');
  const sshd = programOnPath('sshd');
  if (!program || !sshd) throw new Error("OpenSSH isn't installed: apt-get install openssh-server");
  const folder = await makeToolFolder('sshd');
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
  const server = await startToolProcess({
    program,
    args: [...IN_ITS_OWN_NAMESPACES, 'sh', '-c', script],
    folder,
    asOurselves: true,
    isReady: () => greets(port),
  });
  const text = (name: string) => readFile(join(keys, name), 'utf8');
  return {
    host: '127.0.0.1',
    port,
    folder,
    etc,
    state,
    hostKey: await text('host.pub'),
    privateKey: await text('service'),
    caKey: await text('ca'),
    log: () => readFile(join(folder, '..', 'output.log'), 'utf8'),
    stop: () => server.stop(),
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
