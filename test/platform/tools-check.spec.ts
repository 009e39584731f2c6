import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'ldapts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { capabilitiesOf } from '../../connectors/kit/capabilities.js';
import { connectors } from '../../connectors/index.js';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { DataSource } from 'typeorm';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { ToolsService, type NewTool } from '../../src/tools/tools.service.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { hasSlapd, ROOT_DN, startSlapd, SUFFIX, type TestSlapd } from '../support/tool-servers/slapd.js';
import { StrictScim, STRICT_SERVICE_USER } from '../support/tool-servers/strict-scim.js';

const PASSWORD = 'only-in-tests';

let database: TestDatabase;
let env: Record<string, string>;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  env = {
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: join(await mkdtemp(join(inject('runFolder'), 'tools-check-')), 'key.json'),
    QUARTERMASTER_ENVIRONMENT: 'test',
  };
  if ((await run('init')).code !== 0) throw new Error('no key was made');
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await database?.drop();
});

async function run(...args: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: [string[], string[]] = [[], []];
  const context = cliContext(
    env,
    (line) => out.push(line),
    (line) => note.push(line),
  );
  return { code: await runCli(args, context), out: out.join('\n'), note: note.join('\n') };
}

/** Configures a tool as an administrator would, and asks it. */
async function check(tool: Omit<NewTool, 'name' | 'environment' | 'owners'>) {
  const rest = { name: tool.key, environment: 'test' as const, owners: ['owner@acme.example'] };
  const quiet = cliContext(
    env,
    () => undefined,
    () => undefined,
  );
  await quiet.withServices((services) =>
    services
      .get(DataSource)
      .transaction((tx) =>
        services.get(ToolsService).create(tx, SYSTEM, { allowPrivateAddresses: true, ...rest, ...tool }),
      ),
  );
  return run('tools', 'check', tool.key);
}

/** Every capability of the connector, each on a line of its own, and which of them are marked as missing. */
function capabilitiesIn(out: string): { all: string[]; missing: string[] } {
  const lines = [...out.matchAll(/^([●▲]) (\w+)/gm)];
  return {
    all: lines.map(([, , name = '']) => name),
    missing: lines.flatMap(([, mark, name = '']) => (mark === '▲' ? [name] : [])),
  };
}

const declared = (id: string) =>
  capabilitiesOf(connectors.find((one) => one.id === id) ?? { capabilities: {} }).map((one) => one.capability);

describe('quartermaster tools check, against a real PostgreSQL', () => {
  let superuser: pg.Client;
  let settings: Record<string, unknown>;
  const suffix = randomBytes(4).toString('hex');
  const [able, poor] = [`able_${suffix}`, `poor_${suffix}`];

  beforeAll(async () => {
    const url = new URL(inject('postgres18') ?? '');
    superuser = new pg.Client(url.href);
    await superuser.connect();
    closing.push(() => superuser.end());
    const group = `team_${suffix}`;
    await superuser.query(`CREATE ROLE ${able} LOGIN CREATEROLE PASSWORD '${PASSWORD}'`);
    await superuser.query(`CREATE ROLE ${group}`);
    await superuser.query(`GRANT pg_signal_backend TO ${able}`);
    await superuser.query(`GRANT ${group} TO ${able} WITH ADMIN OPTION`);
    await superuser.query(`CREATE ROLE ${poor} LOGIN PASSWORD '${PASSWORD}'`);
    const database = url.pathname.slice(1) || 'postgres';
    settings = { host: url.hostname, port: Number(url.port), database, sslmode: 'disable' };
  });

  it('shows everything the connector can do, with these credentials', async () => {
    const secrets = { password: PASSWORD };
    const { code, out } = await check({
      key: 'able',
      connector: 'postgres',
      settings: { ...settings, user: able },
      secrets,
    });
    expect(out).toContain(`the tool knows us as ${able}; its version is 18`);
    expect(capabilitiesIn(out)).toEqual({ all: declared('postgres'), missing: [] });
    expect(code).toBe(0);
  });

  it('names what poor credentials lack, and the statement that gives it', async () => {
    const secrets = { password: PASSWORD };
    const { code, out, note } = await check({
      key: 'poor',
      connector: 'postgres',
      settings: { ...settings, user: poor },
      secrets,
    });
    expect(capabilitiesIn(out)).toEqual({
      all: declared('postgres'),
      missing: declared('postgres').filter((name) => !/^(check|listAccounts|findAccounts|getAccount)$/.test(name)),
    });
    expect(out).toContain(`missing: pg_signal_backend. GRANT pg_signal_backend TO "${poor}";`);
    expect(note).toContain('Permissions are missing.');
    expect(code).toBe(1);
  });

  it('says what is wrong with a password that isn’t accepted, and doesn’t repeat it', async () => {
    const secrets = { password: 'hunter2-hunter2' };
    const { code, out, note } = await check({
      key: 'wrong',
      connector: 'postgres',
      settings: { ...settings, user: able },
      secrets,
    });
    expect(out).toMatch(/^✕ /);
    expect(note).toContain('could not be checked');
    expect(`${out}${note}`).not.toContain('hunter2');
    expect(code).toBe(1);
  });
});

describe.skipIf(!hasSlapd())('quartermaster tools check, against a real slapd', () => {
  const people = `ou=people,${SUFFIX}`;
  const groups = `ou=groups,${SUFFIX}`;
  const own = `uid=quartermaster,ou=services,${SUFFIX}`;

  /** What the connector's README gives, with this right to the groups. */
  async function start(rightToGroups: 'write' | 'read'): Promise<TestSlapd> {
    const server = await startSlapd({
      access: [
        `to dn.subtree="${people}" attrs=userPassword by dn.exact="${own}" =wcx by anonymous auth by * none`,
        `to dn.subtree="${people}" by dn.exact="${own}" write by self read by * none`,
        `to dn.subtree="${groups}" by dn.exact="${own}" ${rightToGroups} by * none`,
        `to dn.subtree="ou=policies,${SUFFIX}" by dn.exact="${own}" read by * none`,
        `to dn.exact="${own}" attrs=userPassword by anonymous auth by * none`,
        `to dn.exact="${own}" by self read by * none`,
        'to dn.base="" by * read',
        'to * by * none',
      ],
      more: [`limits dn.exact="${own}" size=unlimited time=unlimited`],
    });
    closing.push(() => server.stop());
    const admin = new Client({ url: `ldap://127.0.0.1:${server.ldapPort}` });
    await admin.bind(ROOT_DN, server.rootPassword);
    const objectClass = ['account', 'simpleSecurityObject'];
    await admin.add(own, { objectClass, uid: 'quartermaster', userPassword: PASSWORD });
    await admin.add(`cn=devs,${groups}`, { objectClass: 'groupOfNames', cn: 'devs', member: [''] });
    await admin.unbind();
    return server;
  }

  const toolAt = ({ host, ldapsPort, certificate }: TestSlapd, key: string) => ({
    key,
    connector: 'ldap',
    settings: {
      host,
      port: ldapsPort,
      certificateAuthority: certificate,
      bindDn: own,
      userBase: people,
      groupBase: groups,
    },
    secrets: { password: PASSWORD },
  });

  it('shows everything the connector can do, with the rights of its README', async () => {
    const { code, out } = await check(toolAt(await start('write'), 'directory'));
    expect(out).toContain(`the tool knows us as ${own}`);
    expect(capabilitiesIn(out)).toEqual({ all: declared('ldap'), missing: [] });
    expect(code).toBe(0);
  });

  it('names the right to groups where it is missing, and the rule that gives it', async () => {
    const { code, out } = await check(toolAt(await start('read'), 'directory-of-readers'));
    expect(capabilitiesIn(out)).toEqual({ all: declared('ldap'), missing: ['grant', 'withdraw'] });
    expect(out).toMatch(/▲ grant .*members of groups.*by dn\.exact="uid=quartermaster/s);
    expect(code).toBe(1);
  });
});

describe('quartermaster tools check, against a SCIM server', () => {
  let server: StrictScim;
  beforeAll(async () => {
    server = await StrictScim.start({ token: PASSWORD, groups: [] });
    closing.push(() => server.stop());
  });

  const toolAt = (key: string, profile: string) => ({
    key,
    connector: 'scim',
    settings: { baseUrl: `${server.url}/scim/v2`, profile },
    secrets: { token: PASSWORD },
  });

  it('shows everything the connector can do, and whom the token belongs to', async () => {
    const { code, out } = await check(toolAt('app', 'generic'));
    expect(out).toContain(`the tool knows us as ${STRICT_SERVICE_USER}`);
    expect(capabilitiesIn(out)).toEqual({ all: declared('scim'), missing: [] });
    expect(code).toBe(0);
  });

  it('names what such a server can’t do', async () => {
    const { code, out } = await check(toolAt('app-of-a-vendor', 'github'));
    expect(capabilitiesIn(out)).toEqual({
      all: declared('scim'),
      missing: ['resetCredentials', 'grant', 'withdraw'],
    });
    expect(out).toContain('Give and take groups by hand.');
    expect(code).toBe(1);
  });

  it('says that a token isn’t accepted', async () => {
    const tool = { ...toolAt('app-without-token', 'generic'), secrets: { token: 'not-this-one' } };
    const { code, out } = await check(tool);
    expect(out).toMatch(/^✕ .*not accepted/);
    expect(code).toBe(1);
  });
});
