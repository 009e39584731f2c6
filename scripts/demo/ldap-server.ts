import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, EqualityFilter } from 'ldapts';
import { serverUser } from '../embedded/server-user.js';
import { hasSlapd, setUpSlapd, SUFFIX } from '../embedded/slapd.js';
import { makeReachableFolder } from '../embedded/places.js';
import { canStartLocalServers, startLocalServer } from './local-server.js';

const PEOPLE = `ou=people,${SUFFIX}`;
const GROUPS = `ou=groups,${SUFFIX}`;
const OWN = `uid=quartermaster,ou=services,${SUFFIX}`;

/** An OpenLDAP of the company's, in which every person has an entry. */
export interface LdapServer {
  settings: Readonly<Record<string, string | number>>;
  ownPassword: string;
  /** Whether the directory lets a person in. */
  accepts(username: string, password: string): Promise<boolean>;
  /** When the person's entry was locked, as the directory's own administrator sees it. */
  lockedAt(username: string): Promise<string | null>;
  stop(): Promise<void>;
}

export function canRunLdapServer(): boolean {
  return hasSlapd() && canStartLocalServers();
}

/** Empty at each start, and set up as the connector's README says. Null where slapd isn't installed. */
export async function startLdapServer(folder: string, ownPassword: string): Promise<LdapServer | null> {
  if (!canRunLdapServer()) return null;
  await rm(folder, { recursive: true, force: true });
  await makeReachableFolder(folder);
  const files = join(folder, 'files');
  const user = serverUser();
  await mkdir(files, { mode: 0o700 });
  if (user) await chown(files, user.uid, user.gid);
  const by = `by dn.exact="${OWN}"`;
  const server = await setUpSlapd(files, {
    access: [
      `to dn.subtree="${PEOPLE}" attrs=userPassword ${by} =wcx by anonymous auth by * none`,
      `to dn.subtree="${PEOPLE}" ${by} write by self read by * none`,
      `to dn.subtree="${GROUPS}" ${by} write by * none`,
      `to dn.subtree="ou=policies,${SUFFIX}" ${by} read by * none`,
      `to dn.exact="${OWN}" attrs=userPassword by anonymous auth by * none`,
      `to dn.exact="${OWN}" by self read by * none`,
      'to dn.base="" by * read',
      'to * by * none',
    ],
    more: [`limits dn.exact="${OWN}" size=unlimited time=unlimited`],
  });
  const { host, ldapsPort, certificate, rootPassword } = server;
  const stop = await startLocalServer(server, join(folder, 'slapd.log'), user);
  const withClient = async <T>(dn: string, password: string, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ url: `ldaps://${host}:${ldapsPort}`, tlsOptions: { ca: certificate } });
    try {
      await client.bind(dn, password);
      return await work(client);
    } finally {
      await client.unbind();
    }
  };
  const asRoot = <T>(work: (client: Client) => Promise<T>) => withClient(`cn=root,${SUFFIX}`, rootPassword, work);
  await asRoot(async (client) => {
    const objectClass = ['account', 'simpleSecurityObject'];
    await client.add(OWN, { objectClass, uid: 'quartermaster', userPassword: ownPassword });
    // A group can't be empty.
    await client.add(`cn=engineers,${GROUPS}`, { objectClass: 'groupOfNames', cn: 'engineers', member: OWN });
  });
  return {
    settings: {
      host,
      port: ldapsPort,
      certificateAuthority: certificate,
      bindDn: OWN,
      userBase: PEOPLE,
      groupBase: GROUPS,
      applicationSessionMinutes: 0,
    },
    ownPassword,
    accepts: (username, password) =>
      withClient(`uid=${username},${PEOPLE}`, password, async () => true).catch(() => false),
    lockedAt: (username) =>
      asRoot(async (client) => {
        const filter = new EqualityFilter({ attribute: 'uid', value: username });
        const { searchEntries } = await client.search(PEOPLE, { filter, attributes: ['pwdAccountLockedTime'] });
        const [entry] = searchEntries;
        return entry?.['pwdAccountLockedTime'] ? String(entry['pwdAccountLockedTime']) : null;
      }),
    stop,
  };
}
