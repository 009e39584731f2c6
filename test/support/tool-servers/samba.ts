import { execFile, execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runsAsRoot } from '../../../scripts/embedded/server-user.js';
import { Client } from 'ldapts';
import { makeToolFolder, programOnPath, startToolProcess } from './tool-process.js';

const run = promisify(execFile);

export const DOMAIN = 'DC=corp,DC=example';
export const ADMINISTRATOR = 'Administrator@corp.example';

export interface TestDomain {
  /** A loopback address of its own: a controller's ports can't be chosen. */
  host: string;
  certificate: string;
  administratorPassword: string;
  /** Gives an account these rights (SDDL's letters) on an entry and on what is below it. */
  delegate(accountDn: string, entryDn: string, rights: string): Promise<void>;
  stop(): Promise<void>;
}

export function hasSamba(): boolean {
  return runsAsRoot() && programOnPath('samba') !== null && programOnPath('samba-tool') !== null;
}

/** A Samba domain controller (apt: samba, samba-ad-provision, …) in a folder of its own; takes some ten seconds. */
export async function startDomain(): Promise<TestDomain> {
  const program = programOnPath('samba');
  if (!program) throw new Error("Samba isn't installed: apt-get install samba samba-ad-provision");
  const folder = await makeToolFolder('samba');
  const host = `127.${randomInt(50, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const administratorPassword = 'Only-in-tests-1';
  const target = join(folder, 'dc');
  await mkdir(target);
  await run('samba-tool', [
    'domain',
    'provision',
    '--realm=CORP.EXAMPLE',
    '--domain=CORP',
    '--server-role=dc',
    '--host-name=dc',
    '--dns-backend=NONE',
    `--adminpass=${administratorPassword}`,
    `--targetdir=${target}`,
    `--host-ip=${host}`,
    `--option=interfaces=${host}/8`,
    '--option=bind interfaces only=yes',
  ]);
  const [key, certificate] = [join(target, 'key.pem'), join(target, 'cert.pem')];
  const names = ['-subj', '/CN=dc.corp.example', '-addext', `subjectAltName=IP:${host},DNS:dc.corp.example`];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...names, '-keyout', key, '-out', certificate],
    {
      stdio: 'ignore',
    },
  );
  await chmod(key, 0o600);
  const config = join(target, 'etc', 'smb.conf');
  const global = [
    'server services = rpc, ldap, cldap, kdc, winbindd',
    `tls keyfile = ${key}`,
    `tls certfile = ${certificate}`,
    'tls cafile =',
    `pid directory = ${target}`,
    `ncalrpc dir = ${target}/ncalrpc`,
    `winbindd socket directory = ${target}/winbindd`,
    `log file = ${target}/log`,
  ];
  const provisioned = (await readFile(config, 'utf8')).replace(/^\s*(server services|log file) = .*$/gm, '');
  await writeFile(config, provisioned.replace('[global]', `[global]\n${global.map((line) => `\t${line}`).join('\n')}`));

  const server = await startToolProcess({
    program,
    args: ['-F', '-M', 'single', '-s', config, '--debug-stdout'],
    folder,
    asOurselves: true,
    isReady: () => takesConnections(host, 636),
    withinMs: 60_000,
  });
  const certificateText = await readFile(certificate, 'utf8');
  return {
    host,
    certificate: certificateText,
    administratorPassword,
    async delegate(accountDn, entryDn, rights) {
      const sid = await sidOf(host, certificateText, administratorPassword, accountDn);
      const what = [`--objectdn=${entryDn}`, `--sddl=(A;CI;${rights};;;${sid})`, '--action=allow'];
      const where = ['-H', `ldap://${host}`, `-UAdministrator%${administratorPassword}`, '-s', config];
      await run('samba-tool', ['dsacl', 'set', ...where, `--trusteedn=${accountDn}`, ...what]);
    },
    async stop() {
      await server.stop();
      // Its helpers (winbindd) are in its process group.
      try {
        process.kill(-server.pid, 'SIGKILL');
      } catch {
        // None was left.
      }
    },
  };
}

/** S-1-<authority>-<parts…> (MS-DTYP, section 2.4.2). */
async function sidOf(host: string, ca: string, password: string, dn: string): Promise<string> {
  const client = new Client({ url: `ldaps://${host}`, tlsOptions: { ca } });
  await client.bind(ADMINISTRATOR, password);
  const wanted = ['objectSid'];
  const { searchEntries } = await client.search(dn, {
    scope: 'base',
    attributes: wanted,
    explicitBufferAttributes: wanted,
  });
  await client.unbind();
  const sid = searchEntries[0]?.['objectSid'] as Buffer;
  const parts = Array.from({ length: sid.readUInt8(1) }, (_, index) => sid.readUInt32LE(8 + index * 4));
  return ['S', sid.readUInt8(0), sid.readUIntBE(2, 6), ...parts].join('-');
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
