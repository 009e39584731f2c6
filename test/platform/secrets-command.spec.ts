import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ChannelsService } from '../../src/alerting/channels.service.js';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { ToolSecrets } from '../../src/tools/tool-secrets.service.js';
import { ToolsService } from '../../src/tools/tools.service.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const FIRST = 'canary-first-7d1e';
const SECOND = 'canary-second-93ab';
const CHANNEL = 'canary-routing-key-00c2';

let database: TestDatabase;
let client: pg.Client;
let folder: string;
let env: Record<string, string>;
/** Everything that any command of this file wrote. */
const written: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.url);
  await client.connect();
  folder = await mkdtemp(join(inject('runFolder'), 'secrets-'));
  env = {
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: join(folder, 'key'),
    QUARTERMASTER_ENVIRONMENT: 'test',
  };
  await run('init');
  await context().withServices(async (services) => {
    const { manager } = services.get(DataSource);
    await services.get(ToolsService).create(manager, context().actor, {
      key: 'chat',
      name: 'Chat',
      connector: 'scim',
      environment: 'test',
      settings: { baseUrl: 'https://chat.example/scim' },
      secrets: { token: FIRST },
      owners: ['it@acme.example'],
    });
    await services
      .get(ChannelsService)
      .add(context().actor, { kind: 'pagerduty', name: 'oncall', settings: {}, secret: CHANNEL } as never);
  });
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

function context() {
  return cliContext(
    env,
    (line) => written.push(line),
    (line) => written.push(line),
  );
}

async function run(args: string): Promise<{ code: number; said: string }> {
  const from = written.length;
  const code = await runCli(args.split(' '), context());
  return { code, said: written.slice(from).join('\n') };
}

/** What the tool's connector would be given. */
async function tokenOfChat(): Promise<string | undefined> {
  return context().withServices(async (services) => {
    const { manager } = services.get(DataSource);
    const tool = await services.get(ToolsService).findByKey(manager, 'chat');
    if (!tool) throw new Error('the tool is gone');
    return (await services.get(ToolSecrets).load(manager, [tool.secretIds]))(tool.secretIds)['token'];
  });
}

const keys = async () =>
  JSON.parse((await run('secrets list --json')).said) as { fingerprint: string; state: string; provider: string }[];

describe('quartermaster secrets', () => {
  it('lists the key of an installation that never rotated, and opens everything to check it', async () => {
    expect((await run('secrets list')).said).toMatch(
      /^[0-9a-f]{32} {2}standard {2}current {2}3 secret\(s\) {2}key-file/,
    );
    expect(await run('secrets check')).toMatchObject({ code: 0, said: expect.stringContaining('3 secret(s) open.') });
  });

  it('set puts another secret in the place of one, from a file, and says no more than that', async () => {
    const file = join(folder, 'second');
    await writeFile(file, `${SECOND}\n`);
    expect(await tokenOfChat()).toBe(FIRST);
    expect(await run(`secrets set tool/chat/token --secret-file ${file}`)).toEqual({
      code: 0,
      said: 'set tool/chat/token',
    });
    expect(await tokenOfChat()).toBe(SECOND);
    expect(await run(`secrets set alert-channel/oncall --secret-file ${file}`)).toMatchObject({ code: 0 });
    const { rows } = await client.query(
      `SELECT action FROM audit_entries WHERE action ~ 'changed|secret-set' ORDER BY at`,
    );
    expect(rows).toEqual([{ action: 'tool.changed' }, { action: 'alert-channel.secret-set' }]);
  });

  it.each([
    ['tool/chat', 2, 'Say which secret'],
    ['tool/nothing/token', 1, 'no tool with the key nothing'],
    ['tool/chat/pin', 1, 'aren’t right: pin'],
    ['alert-channel/nobody', 1, 'no channel “nobody”'],
  ])('set refuses %s', async (what, code, why) => {
    const outcome = await run(`secrets set ${what} --secret-file ${join(folder, 'second')}`);
    expect(outcome).toMatchObject({ code, said: expect.stringContaining(why) });
  });

  it('rotate refuses a provider that is not set up, with what to set', async () => {
    expect(await run('secrets rotate --to age')).toMatchObject({
      code: 2,
      said: expect.stringContaining('Set SECRETS_AGE_IDENTITY_FILE'),
    });
    expect(await run('secrets rotate --to paper')).toMatchObject({
      code: 2,
      said: expect.stringContaining('key-file'),
    });
  });

  it('moves everything to another provider in one act; the old key is retired when nothing needs it', async () => {
    const made = await run(`secrets make-identity ${join(folder, 'identity')}`);
    expect(made.said).toMatch(/^age1/);
    env['SECRETS_AGE_IDENTITY_FILE'] = join(folder, 'identity');
    const [{ fingerprint: old } = { fingerprint: '' }] = await keys();
    expect(await run('secrets rotate --to age --no-rewrap')).toMatchObject({ code: 0 });
    expect(await run(`secrets retire ${old}`)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^3 secret\(s\)/),
    });
    expect(await run('secrets rewrap')).toMatchObject({ code: 0, said: '3 of 3\nrewrapped 3, 0 left' });
    expect(await run(`secrets retire ${old}`)).toEqual({ code: 0, said: `retired ${old}` });
    expect(await keys()).toMatchObject([{ provider: 'age', state: 'current' }, { state: 'retired' }]);
    expect(await tokenOfChat()).toBe(SECOND);
  });

  it('check tells which key is not to be had and what to do; a command that needs it says the same and loses nothing', async () => {
    await rename(join(folder, 'identity'), join(folder, 'away'));
    expect(await run('secrets check')).toMatchObject({
      code: 2,
      said: expect.stringContaining('no age identity file at'),
    });
    await rename(join(folder, 'away'), join(folder, 'identity'));
    const { SECRETS_AGE_IDENTITY_FILE: file, ...without } = env;
    env = without;
    expect(await run('secrets check')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^NOT THERE .*isn't set up for age. Set SECRETS_AGE_IDENTITY_FILE\./),
    });
    expect(await run('hr-source add another')).toMatchObject({
      code: 2,
      said: expect.stringContaining('set up for age'),
    });
    env = { ...env, SECRETS_AGE_IDENTITY_FILE: file ?? '' };
    expect(await run('secrets check')).toMatchObject({ code: 0 });
  });

  it('goes back to a key file, a new one, with a rotation', async () => {
    const { said } = await run(`secrets make-key-file ${join(folder, 'key-2')}`);
    env['SECRETS_KEY_FILES'] = join(folder, 'key-2');
    expect(await run('secrets rotate --to key-file')).toMatchObject({
      code: 0,
      said: expect.stringContaining(', 0 left'),
    });
    const [current] = await keys();
    expect(current).toMatchObject({ provider: 'key-file', keyName: said.split('\n')[0] });
    expect(await run('secrets check')).toMatchObject({ code: 0 });
  });

  it('shows no secret and no key in anything it wrote, and leaves none in any table (I7)', async () => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    for (const { name } of tables) {
      const { rows } = await client.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
      written.push(...rows.map(({ text }) => text));
    }
    const everything = written.join('\n');
    expect(everything).toContain('set tool/chat/token');
    for (const canary of [FIRST, SECOND, CHANNEL, 'AGE-SECRET-KEY']) {
      expect(everything).not.toContain(canary);
      expect(everything).not.toContain(Buffer.from(canary).toString('hex'));
    }
  });
});
