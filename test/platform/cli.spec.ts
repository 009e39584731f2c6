import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { createDataSource } from '../../src/data-source.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

interface Outcome {
  code: number;
  out: string;
  note: string;
}

const why = 'Because.';

describe('the command line', () => {
  let database: TestDatabase;
  let folder: string;
  let env: Record<string, string>;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createEmptyDatabase();
    folder = await mkdtemp(join(inject('runFolder'), 'cli-'));
    env = {
      DATABASE_URL: database.url,
      QUARTERMASTER_KEY_FILE: join(folder, 'key.json'),
      QUARTERMASTER_ENVIRONMENT: 'test',
    };
    client = new pg.Client(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await database?.drop();
  });

  const run = async (args: string, changed: Record<string, string | undefined> = {}): Promise<Outcome> => {
    const [out, note]: [string[], string[]] = [[], []];
    const words = args.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
    const code = await runCli(
      words,
      cliContext(
        { ...env, ...changed },
        (line) => out.push(line),
        (line) => note.push(line),
      ),
    );
    return { code, out: out.join('\n'), note: note.join('\n') };
  };
  const json = async (args: string) => JSON.parse((await run(args)).out) as Record<string, unknown>;

  describe('before anything is set up', () => {
    it('explains itself and its exit codes', async () => {
      const { code, out } = await run('--help');
      expect(code).toBe(0);
      for (const word of ['init', 'migrate', 'token', 'sign-in-link', 'check-drift', 'openapi', 'Exit codes:']) {
        expect(out).toContain(word);
      }
    });

    it('refuses wrong arguments and a wrong configuration with 2, and says what to do', async () => {
      expect(await run('nonsense')).toMatchObject({ code: 2, note: expect.stringContaining('unknown command') });
      expect(await run('migrate sideways')).toMatchObject({ code: 2 });
      expect(await run('migrate', { DATABASE_URL: undefined })).toMatchObject({
        code: 2,
        note: expect.stringContaining('DATABASE_URL is missing'),
      });
    });

    it('ends with 3 when PostgreSQL is away, and 2 when it refuses the password, which is not repeated', async () => {
      const away = await run('migrate status', { DATABASE_URL: 'postgres://x:hunter2@127.0.0.1:1/x' });
      expect(away).toMatchObject({ code: 3, note: expect.stringContaining('PostgreSQL does not answer') });
      expect(away.note).not.toContain('hunter2');
    });

    it('init asks for the tables first and makes no key', async () => {
      expect(await run('init')).toMatchObject({ code: 2, note: expect.stringContaining('quartermaster migrate up') });
      await expect(stat(env['QUARTERMASTER_KEY_FILE'] ?? '')).rejects.toThrow('ENOENT');
    });
  });

  describe('migrate', () => {
    it('goes up, waits for another that runs, and says what it applied', async () => {
      expect((await run('migrate status')).code).toBe(1);
      await client.query('SELECT pg_advisory_lock(7154882002)');
      const outcomes = [run('migrate'), run('migrate up')];
      await waitFor('both wait for the lock', async () => {
        const waiting = await client.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
        return waiting.rows[0]?.count === 2;
      });
      await client.query('SELECT pg_advisory_unlock(7154882002)');
      const done = await Promise.all(outcomes);
      expect(done.map(({ code }) => code)).toEqual([0, 0]);
      expect(done.map(({ note }) => note)).toEqual(Array(2).fill('Waiting for another migration to end.'));
      expect(done.map(({ out }) => out).toSorted()).toEqual([
        'The database is up to date.',
        expect.stringMatching(/^applied InstallationAndTrust\d+\n/),
      ]);
      expect(await run('migrate status')).toMatchObject({ code: 0, out: expect.stringMatching(/^applied /) });
    });

    it('takes the newest back and applies it again', async () => {
      const before = await json('migrate status --json');
      expect(before['pending']).toEqual([]);
      const newest = (before['applied'] as string[]).at(-1);
      expect(await run('migrate down')).toMatchObject({ code: 0, out: `took back ${newest}` });
      expect((await run('migrate status --json')).out).toContain(`"pending":["${newest}"]`);
      expect(await run('check-drift')).toMatchObject({ code: 1, note: expect.stringContaining('lacks 1 migrations') });
      expect(await json('migrate up --json')).toEqual(before);
    });
  });

  it('check-drift finds a column that no entity has, and is clean without it', async () => {
    expect(await run('check-drift')).toMatchObject({ code: 0 });
    await client.query('ALTER TABLE secrets ADD COLUMN forgotten text');
    expect(await run('check-drift')).toMatchObject({
      code: 1,
      out: expect.stringContaining('DROP COLUMN "forgotten"'),
    });
    await client.query('ALTER TABLE secrets DROP COLUMN forgotten');
    expect(await json('check-drift --json')).toEqual({ sql: [] });
  });

  describe('init', () => {
    it('makes the key and the installation once, even when two run at the same time', async () => {
      expect(await run('token list')).toMatchObject({ code: 2, note: expect.stringContaining('init') });
      const outcomes = await Promise.all([run('init --json'), run('init --json')]);
      expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
      const seen = outcomes.map(({ out }) => JSON.parse(out) as { created: boolean; fingerprint: string });
      expect(seen.filter(({ created }) => created)).toHaveLength(1);
      expect(seen[0]?.fingerprint).toBe(seen[1]?.fingerprint);
      expect((await stat(env['QUARTERMASTER_KEY_FILE'] ?? '')).mode & 0o777).toBe(0o600);
    });

    it('on an installation changes nothing and says so', async () => {
      const before = await readFile(env['QUARTERMASTER_KEY_FILE'] ?? '', 'utf8');
      expect(await run('init')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed') });
      expect(await readFile(env['QUARTERMASTER_KEY_FILE'] ?? '', 'utf8')).toBe(before);
    });

    it('does not make a second key for an installation whose key file is missing', async () => {
      const missing = join(folder, 'elsewhere.json');
      expect(await run('init', { QUARTERMASTER_KEY_FILE: missing })).toMatchObject({
        code: 2,
        note: expect.stringContaining('no key file'),
      });
      await expect(stat(missing)).rejects.toThrow('ENOENT');
    });
  });

  describe('token', () => {
    it('is printed once, found in the list without it, and revoked', async () => {
      const { id, token } = await json(
        'token create --name "HR dashboard" --scopes people:read,cases:read --service it --expires 90d --json',
      );
      expect(token).toMatch(/^qm_/);
      const listed = (await run('token list --json')).out;
      expect(JSON.parse(listed)).toEqual([
        expect.objectContaining({
          id,
          name: 'HR dashboard',
          owner: 'it',
          servicePrincipalId: expect.any(String),
          scopes: ['people:read', 'cases:read'],
          revokedAt: null,
        }),
      ]);
      expect(listed).not.toContain(String(token).slice(12));
      expect((await run('token list')).out).toContain('last used never');
      expect(await run(`token revoke ${String(id)}`)).toMatchObject({ code: 0 });
      expect(await run(`token revoke ${String(id)}`)).toMatchObject({
        code: 1,
        note: expect.stringContaining('revoked before'),
      });
      expect((await run('token list')).out).toContain('revoked 20');
    });

    it('refuses a scope that does not exist, an end in the past and an id that is none', async () => {
      const create = 'token create --name x --service x --scopes';
      expect(await run(`${create} people:admin`)).toMatchObject({
        code: 2,
        note: expect.stringContaining('people:read'),
      });
      expect(await run(`${create} people:read --expires 2020-01-01`)).toMatchObject({ code: 2 });
      expect(await run(`${create} people:read --expires soon`)).toMatchObject({ code: 2 });
      expect(await run(`${create} people:read --expires 400d`)).toMatchObject({
        code: 2,
        note: expect.stringContaining('365 days'),
      });
      expect(await run('token create --name x')).toMatchObject({ code: 2, note: expect.stringContaining('--scopes') });
      expect(await run('token revoke 7')).toMatchObject({ code: 2 });
    });

    it('is somebody’s: a person’s, or a service’s that is handed on to one', async () => {
      const create = 'token create --name x --scopes people:read';
      for (const [owner, why] of [
        ['', '--owner with a person’s address'],
        ['--owner ada@acme.example --service x', '--owner with a person’s address'],
        ['--owner ada@acme.example', 'Nobody and no service here is called “ada@acme.example”'],
      ]) {
        expect(await run(`${create} ${owner}`)).toMatchObject({ code: 2, note: expect.stringContaining(why ?? '') });
      }
      expect((await run(`${create} --service scripts`)).code).toBe(0);
      expect((await run(`${create} --owner scripts`)).code).toBe(0);
      expect((await run('service list')).out).toContain('scripts  ✗ nobody answers for it');
      expect((await run('service hand-on scripts ada@acme.example')).note).toContain('Nobody here has');
      const id = '019abcde-0000-7000-8000-000000000001';
      await client.query(
        `INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status)
         VALUES ($1, 'Ada', 'Example', 'Ada Example', 'ada@acme.example', 'active')`,
        [id],
      );
      expect((await run('service hand-on scripts ada@acme.example')).code).toBe(0);
      expect((await run('service list')).out).toContain('scripts  ada@acme.example');
      expect((await run('service create reports --owner ada@acme.example')).code).toBe(0);
      expect((await run(`${create} --owner ada@acme.example`)).code).toBe(0);
      expect(await json('token list --json')).toContainEqual(
        expect.objectContaining({ owner: 'ada@acme.example', ownerPersonId: id, servicePrincipalId: null }),
      );
    });
  });

  it('sign-in admits people by issuer and subject, lists them, and withdraws them', async () => {
    const admit = (rest: string, oidc: Record<string, string> = {}) =>
      run(`sign-in admit --subject "auth0|12" --name "Ada Example" ${rest}`, oidc);
    expect(await admit('')).toMatchObject({ code: 2, note: expect.stringContaining('--issuer') });
    expect(await admit('--person 01890000-0000-7000-8000-000000000001 --issuer x')).toMatchObject({
      code: 1,
      note: expect.stringContaining('no person'),
    });
    const provider = { OIDC_ISSUER: 'https://login.acme.example', OIDC_CLIENT_ID: 'qm' };
    const admitted = await admit('', provider);
    expect(admitted).toMatchObject({
      code: 0,
      note: expect.stringContaining(`roles assign user:${admitted.out} ROLE`),
    });
    const again = await admit('', provider);
    expect(again.out).toBe(admitted.out);
    expect((await run('sign-in list')).out).toBe(
      `${admitted.out}  Ada Example  admitted  person none  https://login.acme.example  auth0|12`,
    );
    expect(await run(`roles assign user:${admitted.out} owner --reason ${why}`)).toMatchObject({ code: 0 });
    expect(await run(`sign-in withdraw ${admitted.out}`)).toMatchObject({ code: 0 });
    expect((await run('roles list')).out).toContain('Nobody holds a role');
    expect((await run('sign-in list')).out).toContain('withdrawn 20');
    expect(await run(`sign-in withdraw ${admitted.out}`)).toMatchObject({ code: 1 });
  });

  it('roles are assigned, listed and ended; the last owner stays', async () => {
    const admitted = await run('sign-in admit --issuer https://login.acme.example --subject 13 --name Ada');
    const ada = `user:${admitted.out}`;
    expect((await run('roles list')).out).toContain('Nobody holds a role');
    expect(await run(`roles assign ${ada} helpdesk --department Sales --reason ${why}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('department Sales'),
    });
    expect(await run(`roles assign ${ada} owner --reason ${why}`)).toMatchObject({ code: 0 });
    const [helpdesk, owner] = JSON.parse((await run('roles list --json')).out) as { id: string; role: string }[];
    expect([helpdesk?.role, owner?.role]).toEqual(['helpdesk', 'owner']);
    expect(await run(`roles end ${helpdesk?.id} --reason ${why}`)).toMatchObject({ code: 0 });
    expect(await run(`roles end ${owner?.id} --reason ${why}`)).toMatchObject({
      code: 1,
      note: expect.stringContaining('last owner'),
    });
    expect((await run(`roles list --principal ${ada} --ended`)).out).toContain('ended 20');
    expect(await run(`roles assign ada viewer --reason ${why}`)).toMatchObject({
      code: 1,
      note: expect.stringContaining('user:'),
    });
    expect(await run(`roles assign ${ada} king --reason ${why}`)).toMatchObject({ code: 2 });
    expect(await run(`roles assign ${ada} viewer --tool nowhere --reason ${why}`)).toMatchObject({
      code: 2,
      note: expect.stringContaining('nowhere'),
    });
  });

  it('sign-in-link prints a link to the public address', async () => {
    const { code, out } = await run('sign-in-link --name ada', { PUBLIC_URL: 'https://qm.example.com' });
    expect(code).toBe(0);
    expect(out).toMatch(/^https:\/\/qm\.example\.com\/sign-in\/[\w-]{43}$/);
  });

  it('refuses to work with the wrong environment', async () => {
    expect(await run('token list', { QUARTERMASTER_ENVIRONMENT: 'production' })).toMatchObject({
      code: 2,
      note: expect.stringContaining('set up for production'),
    });
  });

  it.each([
    ['openapi', '"openapi": "3.1.0"', 'Quartermaster'],
    ['connectors', '| `suspendAccount` |', 'PostgreSQL'],
    ['roles matrix', '| `POST /v1/leavers` | cases:write |', 'helpdesk'],
  ])('%s needs no database, and tells when the committed document is old', async (command, part, word) => {
    const file = join(folder, command.replaceAll(' ', '-'));
    const away = { DATABASE_URL: undefined };
    expect(await run(`${command} --check --file ${file}`, away)).toMatchObject({ code: 1 });
    expect(await run(`${command} --write --file ${file}`, away)).toMatchObject({ code: 0 });
    expect(await run(`${command} --check --file ${file}`, away)).toMatchObject({ code: 0 });
    const document = await readFile(file, 'utf8');
    expect(document).toContain(part);
    await writeFile(file, document.replace(word, 'Something'));
    expect(await run(`${command} --check --file ${file}`, away)).toMatchObject({
      code: 1,
      note: expect.stringContaining(`${command} --write`),
    });
  });

  it('leaves the name of who did it in the audit log', async () => {
    const db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
    const entries = await db.query<{ action: string; actor_id: string }[]>(
      `SELECT action, actor_id FROM audit_entries ORDER BY id`,
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'service-principal.created',
      'token.created',
      'token.revoked',
      'service-principal.created',
      'token.created',
      'token.created',
      'service-principal.handed-on',
      'service-principal.created',
      'token.created',
      'sign-in-identity.admitted',
      'sign-in-identity.admitted',
      'role.assigned',
      'role.ended',
      'sign-in-identity.withdrawn',
      'sign-in-identity.admitted',
      'role.assigned',
      'role.assigned',
      'role.ended',
      'sign-in-link.created',
    ]);
    for (const { actor_id } of entries) expect(actor_id).toMatch(/^terminal:/);
    await db.destroy();
  });
});
