import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { freePort } from '../../../scripts/embedded/free-port.js';
import { serverUser } from '../../../scripts/embedded/server-user.js';
import { giveToServer, makeToolFolder, programOnPath, startToolProcess } from './tool-process.js';

export interface MariadbServer {
  host: string;
  port: number;
  /** A connection of the server's root, over its socket. */
  connectAsRoot(): Promise<mysql.Connection>;
  stop(): Promise<void>;
}

export interface MariadbOptions {
  tls?: { key: Buffer; cert: Buffer };
  /** Further options of the command line. */
  args?: readonly string[];
}

export function hasMariadb(): boolean {
  return programOnPath('mariadbd') !== null;
}

/** A MariaDB of the caller's own (apt: mariadb-server), on a free loopback port; starts in about a second; with TLS when given a key. */
export async function startMariadb({ tls, args = [] }: MariadbOptions = {}): Promise<MariadbServer> {
  const program = programOnPath('mariadbd');
  const installer = programOnPath('mariadb-install-db');
  if (!program || !installer) throw new Error("MariaDB isn't installed: apt-get install mariadb-server");
  const folder = await makeToolFolder('mariadb');
  const data = join(folder, 'data');
  const small = ['--innodb-log-file-size=8M', '--innodb-buffer-pool-size=16M', '--innodb-flush-log-at-trx-commit=0'];
  await promisify(execFile)(
    installer,
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...small],
    { ...serverUser(), cwd: folder, env: { PATH: `${process.env['PATH']}:/usr/sbin`, HOME: folder } },
  );
  const tlsFiles = tls ? [`--ssl-key=${join(folder, 'key.pem')}`, `--ssl-cert=${join(folder, 'cert.pem')}`] : [];
  for (const [name, pem] of Object.entries(tls ?? {})) {
    const file = join(folder, `${name}.pem`);
    await writeFile(file, pem);
    await giveToServer(file);
  }
  const port = await freePort();
  // A socket's path can be 107 bytes long, so it is named relative to the data folder.
  const socketPath = join(data, 's');
  const connectAsRoot = () => mysql.createConnection({ socketPath, user: 'root', charset: 'utf8mb4' });
  const server = await startToolProcess({
    program,
    folder,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      '--socket=s',
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      ...(tls ? tlsFiles : ['--skip-ssl']),
      ...small,
      ...args,
    ],
    async isReady() {
      const connection = await connectAsRoot().catch(() => null);
      await connection?.end();
      return connection !== null;
    },
  });
  return { host: '127.0.0.1', port, connectAsRoot, stop: () => server.stop() };
}
