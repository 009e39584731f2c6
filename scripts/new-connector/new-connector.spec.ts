import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformanceChecks, type ConformanceFixture } from '../../connectors/kit/conformance.js';
import { refuseWhenOver } from '../../connectors/kit/deadline.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { cloneFolder } from '../embedded/places.js';
import { ExampleToolClient, type ExampleToolUser } from './example-tool/client.js';
import { exampleToolConnector } from './example-tool/connector.js';
import type { ExampleToolSettings } from './example-tool/manifest.js';
import { newConnector } from './new-connector.js';

describe('a new connector', () => {
  let root: string;

  /** A house like ours with nothing but the kit in it. */
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'new-connector-'));
    await mkdir(join(root, 'connectors'));
    await cp(join(cloneFolder(), 'connectors', 'kit'), join(root, 'connectors', 'kit'), {
      recursive: true,
      filter: (file) => !file.endsWith('.spec.ts'),
    });
    for (const file of ['.oxlintrc.json', '.prettierrc.json', 'package.json']) {
      await cp(join(cloneFolder(), file), join(root, file));
    }
    await symlink(join(cloneFolder(), 'node_modules'), join(root, 'node_modules'));
    const settings = JSON.parse(await readFile(join(cloneFolder(), 'tsconfig.json'), 'utf8')) as object;
    await writeFile(join(root, 'tsconfig.json'), JSON.stringify({ ...settings, include: ['connectors'] }));
    await newConnector(root, 'acme-crm');
  });
  afterAll(() => rm(root, { recursive: true }));

  const run = (program: string, ...args: string[]) =>
    new Promise<{ code: number | string; out: string }>((done) => {
      const file = join(cloneFolder(), 'node_modules', program);
      execFile(process.execPath, [file, ...args], { cwd: root }, (error, stdout, stderr) =>
        done({ code: error?.code ?? 0, out: `${stdout}${stderr}` }),
      );
    });
  const fileOf = (file: string) => readFile(join(root, 'connectors', 'acme-crm', file), 'utf8');

  it('has the five files, and nothing of the pattern’s name is left in them', async () => {
    const files = await readdir(join(root, 'connectors', 'acme-crm'));
    expect(files.toSorted()).toEqual(['README.md', 'acme-crm.spec.ts', 'client.ts', 'connector.ts', 'manifest.ts']);
    for (const file of files) expect(await fileOf(file)).not.toMatch(/example.?tool/i);
    expect(await fileOf('manifest.ts')).toContain(`id: 'acme-crm',\n  title: 'Acme crm',`);
    expect(await fileOf('connector.ts')).toContain('export const acmeCrmConnector: Connector<AcmeCrmSettings>');
  });

  it.each([
    ['prettier', 'prettier/bin/prettier.cjs', ['--check', 'connectors/acme-crm']],
    ['the linter', 'oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', 'connectors/acme-crm']],
    ['the type check', 'typescript/bin/tsc', ['--noEmit']],
  ])('passes %s as it is', async (_what, program, args) => {
    expect(await run(program, ...args)).toMatchObject({ code: 0 });
  });

  it('fails its suite only where it has to be filled in, and says in which file', async () => {
    await run('vitest/vitest.mjs', 'run', 'connectors/acme-crm', '--reporter=json', '--outputFile=report.json');
    const report = JSON.parse(await readFile(join(root, 'report.json'), 'utf8')) as Report;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = tests.filter(({ status }) => status === 'failed');
    const promises = conformanceChecks(exampleToolConnector, () => filledIn()).map(({ name }) => name);
    expect(failed.map(({ title }) => title)).toEqual(promises);
    for (const { title, failureMessages } of failed) {
      const unfilled = /Fill in \w+(\(.*\))? in connectors\/acme-crm\/(client|acme-crm\.spec)\.ts/;
      // The last one tells what the others didn't get to use.
      const isLast = title === promises.at(-1);
      expect(failureMessages.join()).toMatch(isLast ? /the suite didn’t use these/ : unfilled);
    }
    expect(tests.filter(({ status }) => status === 'passed')).toHaveLength(2);
  });

  it('is refused where one is already, and nothing is changed', async () => {
    await writeFile(join(root, 'connectors', 'acme-crm', 'client.ts'), '// My work.\n');
    await expect(newConnector(root, 'acme-crm')).rejects.toThrow('connectors/acme-crm is there already');
    expect(await fileOf('client.ts')).toBe('// My work.\n');
  });

  it.each(['', 'Acme', 'acme_crm', '7zip', 'acme--crm', 'crm-', '../crm', 'a/b', 'crm.js', 'x'.repeat(41)])(
    'refuses the name “%s” and says what a name is',
    async (name) => {
      await expect(newConnector(root, name)).rejects.toThrow(/acme-crm/);
      expect(await readdir(join(root, 'connectors'))).toEqual(expect.not.arrayContaining([name]));
    },
  );
});

interface Report {
  testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
}

/** A tool in memory. What the pattern leaves open is filled in with it, as somebody would with requests. */
const users = new Map<string, ExampleToolUser & { password: string; tokens: Set<string> }>();
const userOf = (id: string) => {
  const user = users.get(id);
  if (!user) throw new ToolError('not-found', 'There is no such user.');
  return user;
};

function addUser(given: { name: string; mark: string | null; email: string | null; password: string; id?: string }) {
  const blank = { isActive: true, passwordVersion: '1', groups: [], sessions: 0, tokens: new Set<string>() };
  const user = { id: randomUUID(), ...blank, ...given };
  users.set(user.id, user);
  return user;
}

function filledIn(): ConformanceFixture<ExampleToolSettings> {
  return {
    good: { settings: { baseUrl: 'http://127.0.0.1:9' }, secrets: { token: 'right' }, allowPrivateAddresses: true },
    wrongSecrets: { token: 'wrong' },
    group: { kind: 'group', name: 'engineering' },
    async signIn(name, password) {
      const user = [...users.values()].find((one) => one.name === name);
      if (!user?.isActive || user.password !== password) return null;
      const token = randomUUID();
      user.tokens.add(token);
      return { works: async () => user.tokens.has(token), end: async () => void user.tokens.delete(token) };
    },
    async observe(name) {
      const user = [...users.values()].find((one) => one.name === name);
      return user ? { externalId: user.id, state: user.isActive ? 'active' : 'suspended', groups: user.groups } : null;
    },
    ownPrincipal: async () => ({ externalId: 'own', username: 'service' }),
    async makeTwoWithMark(mark) {
      for (const name of [`1-${mark}`, `2-${mark}`]) addUser({ name, mark, email: null, password: randomUUID() });
    },
  };
}

describe('the pattern, with its client filled in', () => {
  beforeAll(() => {
    addUser({ id: 'own', name: 'service', mark: null, email: null, password: randomUUID() });
    const filled: Partial<ExampleToolClient> & ThisType<ExampleToolClient> = {
      async whoami() {
        const { authorization } = this['http']['options'];
        if (authorization !== 'Bearer right') throw new ToolError('auth-broken', 'These credentials aren’t accepted.');
        return { id: 'own', name: 'service', version: null };
      },
      users: async (next) => {
        const all = [...users.values()].map((user) => ({ ...user, sessions: user.tokens.size }));
        const from = Number(next ?? 0);
        return { users: all.slice(from, from + 5), next: from + 5 < all.length ? String(from + 5) : null };
      },
      usersLike: async () => [...users.values()],
      user: async (id) => {
        const user = users.get(id);
        return user ? { ...user, sessions: user.tokens.size } : null;
      },
      async createUser(user) {
        refuseWhenOver(this['http']['options'].call);
        if ([...users.values()].some(({ name }) => name === user.name)) {
          throw new ToolError('conflict', 'This name is taken.');
        }
        return addUser(user);
      },
      setActive: async (id, isActive) => void (userOf(id).isActive = isActive),
      async setPassword(id, password) {
        const user = userOf(id);
        Object.assign(user, { password, passwordVersion: String(Number(user.passwordVersion) + 1) });
      },
      endSessions: async (id) => userOf(id).tokens.clear(),
      deleteUser: async (id) => void users.delete(id),
      groupNamed: async (name) => (name === 'engineering' ? name : null),
      addMember: async (group, id) => void (userOf(id).groups = [...userOf(id).groups, group]),
      removeMember: async (group, id) => void (userOf(id).groups = userOf(id).groups.filter((name) => name !== group)),
    };
    Object.assign(ExampleToolClient.prototype, filled);
  });

  for (const check of conformanceChecks(exampleToolConnector, filledIn)) it(check.name, check.run);
});
