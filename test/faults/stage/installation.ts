import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import { clearAbandonedRuns, endEverything, makeRunFolder, PROCESS_RECORD } from '../../support/run-folder.js';
import { PostgresUnderTest } from './postgres-under-test.js';
import { unmountAbandoned } from './run-folder.js';

const run = promisify(execFile);
const TEMPLATE = 'quartermaster_template';
const SCOPES = [
  'people:read,people:write,tools:read,tools:write,accounts:read,devices:read,devices:write,cases:read,cases:write',
  'lost-devices:report,credentials:reset,access:restore,steps:decide,hr-events:read,alerts:read',
].join(',');

/** What all services of a run share: a PostgreSQL, and an installation that was set up once and is copied for each. */
export class Installation {
  private made = 0;
  /** What ends each service that runs at the moment. */
  readonly running = new Set<() => Promise<void>>();

  private constructor(
    readonly folder: string,
    readonly postgres: PostgresUnderTest,
    readonly env: Readonly<Record<string, string>>,
    private readonly templateUrl: string,
    readonly token: string,
    readonly hrSecret: string,
    /** What opens every secret, as it stands in files. */
    readonly keys: readonly string[],
    /** So that the next run ends a process, should this one be killed before it can. */
    readonly record: (pid: number, commandPart: string) => void,
  ) {}

  static async start(): Promise<Installation> {
    unmountAbandoned();
    await clearAbandonedRuns();
    const folder = await makeRunFolder();
    const record = (pid: number, commandPart: string): void =>
      appendFileSync(join(folder, PROCESS_RECORD), `${pid} ${commandPart}\n`);
    const postgres = await PostgresUnderTest.start(join(folder, 'postgres'), (pid) => record(pid, folder));
    const policyFile = join(folder, 'access-policy.yaml');
    await writeFile(policyFile, POLICY);
    const env = {
      QUARTERMASTER_KEY_FILE: join(folder, 'key'),
      SECRETS_AGE_IDENTITY_FILE: join(folder, 'identity'),
      QUARTERMASTER_ENVIRONMENT: 'test',
      QUARTERMASTER_PARENT: 'ipc',
      ACCESS_POLICY_FILE: policyFile,
      LOG_LEVEL: 'info',
    };
    const templateUrl = await postgres.createDatabase(TEMPLATE);
    const cli = async (...args: string[]): Promise<string> => {
      const { stdout } = await run(process.execPath, [join(cloneFolder(), 'dist/src/cli.main.js'), ...args], {
        env: { PATH: process.env['PATH'], ...env, DATABASE_URL: templateUrl },
      });
      return stdout.trim();
    };
    await cli('secrets', 'make-identity', env.SECRETS_AGE_IDENTITY_FILE);
    await cli('migrate', 'up');
    await cli('init');
    const token = await cli('token', 'create', '--name', 'faults', '--scopes', SCOPES, '--service', 'faults');
    const hrSecret = await cli('hr-source', 'add', 'hr');
    // A crowd that leaves at once is what is wanted here.
    await cli('brakes', 'limit', 'leaves,removals,grants,restorations', '--at-least', '1000000', '--share', '100');
    // As an installation that has rotated once and moved: each process takes a sealing key from its provider.
    await cli('secrets', 'rotate', '--to', 'age');
    return new Installation(folder, postgres, env, templateUrl, token, hrSecret, await keysIn(env), record);
  }

  /** A copy of the installation, with a folder beside it. */
  async copy(): Promise<{ database: string; databaseUrl: string; folder: string }> {
    this.made += 1;
    const database = `faults_${this.made}`;
    const folder = join(this.folder, database);
    await mkdir(folder);
    return { database, folder, databaseUrl: await this.postgres.copyDatabase(this.templateUrl, database) };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running].map((end) => end()));
    await this.postgres.stop();
    await endEverything(this.folder);
  }
}

async function keysIn(env: { QUARTERMASTER_KEY_FILE: string; SECRETS_AGE_IDENTITY_FILE: string }): Promise<string[]> {
  const { key } = JSON.parse(await readFile(env.QUARTERMASTER_KEY_FILE, 'utf8')) as { key: string };
  const identity = /^AGE-SECRET-KEY-.+$/m.exec(await readFile(env.SECRETS_AGE_IDENTITY_FILE, 'utf8'))?.[0] ?? '';
  const inHex = Buffer.from(key, 'base64').toString('hex');
  return [key, inHex, identity];
}

/** Engineers have three tools, sales people the first two: a move between them gives one and takes one away. */
const POLICY = `
corporateDomains: [acme.example]
rules:
  - name: engineering
    when: { department: engineering }
    tools:
      - tool: tool-0
      - tool: tool-1
      - tool: tool-2
  - name: sales
    when: { department: sales }
    tools:
      - tool: tool-0
      - tool: tool-1
`;

/** The tools of each department, by their numbers. */
export const TOOLS_OF = { engineering: [0, 1, 2], sales: [0, 1] } as const;
export type Department = keyof typeof TOOLS_OF;
