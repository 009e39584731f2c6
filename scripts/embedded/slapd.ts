import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { selfSignedFor } from '../../connectors/kit/self-signed-certificate.js';
import { freePort } from './free-port.js';
import { programOnPath } from './program-on-path.js';
import { serverUser } from './server-user.js';

export const SUFFIX = 'dc=corp,dc=example';
export const ROOT_DN = `cn=root,${SUFFIX}`;

/** A directory that is set up, and how to start it. */
export interface SlapdSetup {
  program: string;
  args: readonly string[];
  isReady: () => Promise<boolean>;
  /** Its certificate is for this name. */
  host: 'localhost';
  ldapsPort: number;
  /** Without TLS, and with StartTLS. */
  ldapPort: number;
  certificate: string;
  rootPassword: string;
}

export interface SlapdOptions {
  /** Access rules (slapd.access(5)), in order; nobody but root may do anything else. */
  access: readonly string[];
  /** False: no ppolicy overlay. Default true. */
  hasPpolicy?: boolean;
  /** What the default policy says of locks. Default true. */
  pwdLockout?: boolean;
  hashesPasswords?: boolean;
  /** More lines of slapd.conf. */
  more?: readonly string[];
}

export function hasSlapd(): boolean {
  return programOnPath('slapd') !== null;
}

/** OpenLDAP (apt: slapd) in an empty folder of the server user's, with the people, groups, services and policies that every test begins with; takes 0.3 s. */
export async function setUpSlapd(folder: string, options: SlapdOptions): Promise<SlapdSetup> {
  const program = programOnPath('slapd');
  const loader = programOnPath('slapadd');
  if (!program || !loader) throw new Error("OpenLDAP isn't installed: apt-get install slapd");
  const user = serverUser();
  const { key, cert } = selfSignedFor('localhost');
  const rootPassword = randomBytes(12).toString('hex');
  const config = join(folder, 'slapd.conf');
  await mkdir(join(folder, 'db'));
  for (const [name, content] of [
    ['key.pem', key],
    ['cert.pem', cert],
    ['slapd.conf', slapdConf(folder, rootPassword, options)],
  ] as const) {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o600);
    if (user) await chown(join(folder, name), user.uid, user.gid);
  }
  if (user) await chown(join(folder, 'db'), user.uid, user.gid);
  execFileSync(loader, ['-f', config], { input: firstEntries(options), stdio: ['pipe', 'ignore', 'pipe'], ...user });

  const [ldapPort, ldapsPort] = [await freePort(), await freePort()];
  const urls = `ldap://127.0.0.1:${ldapPort}/ ldaps://127.0.0.1:${ldapsPort}/`;
  return {
    program,
    // In the foreground; without -d it would leave the process we know.
    args: ['-f', config, '-h', urls, '-d', '0'],
    async isReady() {
      const client = new Client({ url: `ldap://127.0.0.1:${ldapPort}` });
      const isReady = await client.bind(ROOT_DN, rootPassword).then(
        () => true,
        () => false,
      );
      await client.unbind();
      return isReady;
    },
    host: 'localhost',
    ldapsPort,
    ldapPort,
    certificate: cert.toString(),
    rootPassword,
  };
}

function slapdConf(folder: string, rootPassword: string, options: SlapdOptions): string {
  const { hasPpolicy = true, hashesPasswords = true } = options;
  return [
    ...['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include /etc/ldap/schema/${name}.schema`),
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    ...(hasPpolicy ? ['moduleload ppolicy'] : []),
    `TLSCertificateFile ${folder}/cert.pem`,
    `TLSCertificateKeyFile ${folder}/key.pem`,
    'database mdb',
    `suffix ${SUFFIX}`,
    `rootdn ${ROOT_DN}`,
    `rootpw ${rootPassword}`,
    `directory ${folder}/db`,
    'dbnosync',
    'index objectClass,uid,mail,entryUUID eq',
    ...(hasPpolicy ? ['overlay ppolicy', `ppolicy_default cn=default,ou=policies,${SUFFIX}`] : []),
    ...(hasPpolicy && hashesPasswords ? ['ppolicy_hash_cleartext'] : []),
    ...options.access.map((rule) => `access ${rule}`),
    ...(options.more ?? []),
    '',
  ].join('\n');
}

function firstEntries({ hasPpolicy = true, pwdLockout = true }: SlapdOptions): string {
  const policy = [
    `dn: cn=default,ou=policies,${SUFFIX}`,
    'objectClass: device',
    'objectClass: pwdPolicy',
    'cn: default',
    'pwdAttribute: userPassword',
    `pwdLockout: ${pwdLockout ? 'TRUE' : 'FALSE'}`,
  ];
  const units = ['people', 'groups', 'services', 'policies'].map((ou) => [
    `dn: ou=${ou},${SUFFIX}`,
    'objectClass: organizationalUnit',
    `ou: ${ou}`,
  ]);
  const entries = [[`dn: ${SUFFIX}`, 'objectClass: domain', 'dc: corp'], ...units, ...(hasPpolicy ? [policy] : [])];
  return entries.map((lines) => `${lines.join('\n')}\n`).join('\n');
}
