import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { callWithin } from '../../connectors/kit/deadline.js';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { ToolSessions } from '../../src/tools/tool-sessions.service.js';
import { ToolsService } from '../../src/tools/tools.service.js';
import { CreateTool } from '../../src/tools/tools-views.js';
import { anAccount } from '../factories/accounts.js';
import { aPerson } from '../factories/people.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';
import { hasSshd, startGateway, type TestGateway } from '../support/tool-servers/sshd.js';

describe.skipIf(!hasSshd())('quartermaster tools lockdown, at a real gateway', () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let env: Record<string, string>;

  const context = (out: string[] = [], note: string[] = []) =>
    cliContext(
      env,
      (line) => out.push(line),
      (line) => note.push(line),
    );
  const run = async (...args: string[]) => {
    const [out, note]: [string[], string[]] = [[], []];
    const code = await runCli(args, context(out, note));
    return { code, out: out.join('\n'), note: note.join('\n') };
  };

  beforeAll(async () => {
    database = await createEmptyDatabase();
    const folder = await mkdtemp(join(inject('runFolder'), 'lockdown-'));
    env = {
      DATABASE_URL: database.url,
      QUARTERMASTER_KEY_FILE: join(folder, 'key.json'),
      QUARTERMASTER_ENVIRONMENT: 'test',
    };
    await run('migrate', 'up');
    await run('init');
    gateway = await startGateway();
    await addGatewayWithAda();
  });
  afterAll(async () => {
    await gateway?.stop();
    await database?.drop();
  });

  async function addGatewayWithAda(): Promise<void> {
    const { host, port, hostKey, privateKey, caKey } = gateway;
    const { actor, withServices } = context();
    const tool = CreateTool.parse({
      key: 'gateway',
      name: 'Gateway',
      connector: 'ssh-gateway',
      environment: 'test',
      settings: { host, port, hostKey },
      secrets: { privateKey, caKey },
      owners: ['it@acme.example'],
      allowPrivateAddresses: true,
    });
    await withServices(async (services) => {
      const db = services.get(DataSource);
      const { id: toolId } = await db.transaction((tx) => services.get(ToolsService).create(tx, actor, tool));
      const { session } = await services.get(ToolSessions).open(toolId, callWithin(9_000));
      const person = await aPerson(db.manager);
      const names = { givenName: 'Ada', familyName: 'Example', displayName: 'Ada Example', email: 'ada@acme.example' };
      const holder = { personId: person.id, ...names };
      const made = await session.createAccount?.({ mark: 'ada', username: 'ada.example', holder, password: 'unused' });
      await session.close();
      if (made?.outcome !== 'done') throw new Error('the account was not made');
      const { externalId, username } = made.value;
      await anAccount(db.manager, { toolId, personId: person.id, externalId, username });
    });
  }

  it('locks down, shows it, and lifts it', async () => {
    expect(await run('tools', 'lockdown', 'gateway')).toMatchObject({ code: 0, out: 'open: no lockdown' });
    const locked = { code: 0, out: 'locked down; allowed: ada.example' };
    expect(await run('tools', 'lockdown', 'gateway', '--only', 'ada.example')).toMatchObject(locked);
    expect(await run('tools', 'lockdown', 'gateway')).toMatchObject(locked);
    const empty = { code: 0, out: 'locked down; allowed: nobody' };
    expect(await run('tools', 'lockdown', 'gateway', '--nobody')).toMatchObject(empty);
    expect(await run('tools', 'lockdown', 'gateway', '--lift')).toMatchObject({ code: 0, out: 'open: no lockdown' });
  });

  it('does nothing when what it is told is not clear', async () => {
    for (const wrong of [
      ['--only', ''],
      ['--only', 'stranger'],
      ['--lift', '--nobody'],
    ]) {
      expect((await run('tools', 'lockdown', 'gateway', ...wrong)).code).not.toBe(0);
    }
    expect((await run('tools', 'lockdown', 'nowhere', '--nobody')).note).toContain('no tool with the key nowhere');
    expect(await run('tools', 'lockdown', 'gateway')).toMatchObject({ out: 'open: no lockdown' });
  });
});
