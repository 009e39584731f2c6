import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import type { TestDatabase } from './database.js';
import { FakeTool } from './fake-tool.js';
import { freePort } from '../../scripts/embedded/free-port.js';
import { HrSystem } from './hr-system.js';
import { createTestInstallation, runBuiltCli, type TestInstallation } from './installation.js';
import { startProcess, type TestProcess } from './processes.js';
import { startTestRedis, type TestRedis } from './redis.js';
import { waitFor } from './wait-for.js';

export interface StepSeen {
  id: string;
  caseId: string;
  act: string;
  state: string;
  toolId: string;
  toolName: string;
  reason: string | null;
  owner: string | null;
  deadline: string | null;
  requestedAt: string;
  sentAt: string | null;
  confirmedAt: string | null;
  attemptsMade: { id: string; kind: string; outcome: string | null; abandonedAt: string | null }[];
}

export interface CaseSeen {
  id: string;
  kind: string;
  state: 'open' | 'closed';
  steps: StepSeen[];
}

export type WorkerLanes = 'standard,bulk' | 'emergency';

interface ServiceOptions {
  /** With a Redis of its own; without one the standard lanes run on PostgreSQL alone. */
  redis?: boolean;
  /** How many fake tools there are: `tool-0`, `tool-1`, … Everybody in engineering gets an account in each. */
  tools?: number;
  /** Which workers to start at once; by default one of each kind. */
  workers?: readonly WorkerLanes[];
  /** Beside them a tool without an API, `by-hand`: each act there is somebody's task. */
  byHand?: boolean;
  /** Losses follow the laptop-lost runbook that comes with the product. */
  runbook?: boolean;
  /** What API servers alone are started with beside that. */
  apiEnv?: Readonly<Record<string, string>>;
}

/** The whole service, as an installation runs it: built programs as processes, real PostgreSQL, real Redis, fake tools. */
export class TestService {
  readonly processes: TestProcess[] = [];
  /** At least one. */
  readonly tools: [FakeTool, ...FakeTool[]];
  redis: TestRedis | undefined;
  hr!: HrSystem;
  db!: pg.Pool;
  readonly database: TestDatabase;
  private readonly token: string;
  /** What every process of it is started with. */
  env: Record<string, string> = {};
  private port = 0;

  private readonly workers: { lanes: WorkerLanes; process: TestProcess }[] = [];

  private constructor(
    private readonly folder: string,
    private readonly installation: TestInstallation,
    tools: [FakeTool, ...FakeTool[]],
    private readonly byHand: boolean,
    private readonly apiEnv: Readonly<Record<string, string>>,
  ) {
    this.tools = tools;
    this.database = installation.database;
    this.token = installation.token;
  }

  static async start({
    redis = false,
    tools = 1,
    workers = ['standard,bulk', 'emergency'],
    byHand = false,
    runbook = false,
    apiEnv = {},
  }: ServiceOptions = {}): Promise<TestService> {
    const first = await FakeTool.start();
    const others = await Promise.all(Array.from({ length: tools - 1 }, () => FakeTool.start()));
    const folder = join(inject('runFolder'), `service-${randomUUID()}`);
    await mkdir(folder, { recursive: true });
    const installation = await createTestInstallation(join(folder, 'key'));
    const service = new TestService(folder, installation, [first, ...others], byHand, apiEnv);
    try {
      await service.prepare(redis, runbook);
      const api = service.startApi();
      // None needs another for its start. Each is in its place in `processes` before the first is ready.
      await Promise.all([api.then(() => service.addTools()), ...workers.map((lanes) => service.startWorker(lanes))]);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private async prepare(redis: boolean, runbook: boolean): Promise<void> {
    if (redis) this.redis = await startTestRedis();
    const policyFile = join(this.folder, 'access-policy.yaml');
    await writeFile(policyFile, policyFor(this.tools.length, this.byHand));
    this.port = await freePort();
    this.db = new pg.Pool({ connectionString: this.database.url, max: 4 });
    this.db.on('error', () => undefined);
    this.env = {
      DATABASE_URL: this.database.url,
      QUARTERMASTER_KEY_FILE: join(this.folder, 'key'),
      QUARTERMASTER_ENVIRONMENT: 'test',
      ACCESS_POLICY_FILE: policyFile,
      PORT: String(this.port),
      LOG_LEVEL: 'warn',
      QUARTERMASTER_PARENT: 'ipc',
      ...(this.redis && { REDIS_URL: this.redis.url }),
      ...(runbook && { RUNBOOK_FILE: join(cloneFolder(), 'docs/runbooks/laptop-lost.yaml') }),
    };
    this.hr = new HrSystem(`${this.url}/hooks/hr/hr`, this.installation.hrSecret);
  }

  async cli(...args: string[]): Promise<string> {
    return runBuiltCli(args, this.env);
  }

  async startApi(): Promise<TestProcess> {
    const api = startProcess({ program: 'dist/src/api.main.js', env: { ...this.env, ...this.apiEnv } });
    this.processes.push(api);
    await api.waitForHttp(`${this.url}/health/ready`, 200, 30_000);
    return api;
  }

  /** @param preload a module that the worker loads first, for faults at exact places */
  async startWorker(
    lanes: WorkerLanes,
    { preload, env = {} }: { preload?: string; env?: Record<string, string> } = {},
  ): Promise<TestProcess> {
    const worker = startProcess({
      program: 'dist/src/worker.main.js',
      args: ['--lanes', lanes],
      env: { ...this.env, ...env, ...(preload && { NODE_OPTIONS: `--import ${join(cloneFolder(), preload)}` }) },
    });
    this.processes.push(worker);
    this.workers.push({ lanes, process: worker });
    await worker.waitForLine(/worker ready/, 30_000);
    return worker;
  }

  async killWorkers(lanes: WorkerLanes): Promise<void> {
    await Promise.all(this.workers.filter((one) => one.lanes === lanes).map(({ process }) => process.kill('SIGKILL')));
  }

  private async addTools(): Promise<void> {
    for (const [index, tool] of this.tools.entries()) {
      await this.call('POST', '/v1/tools', {
        key: `tool-${index}`,
        name: `Tool ${index}`,
        connector: 'scim',
        environment: 'test',
        settings: { baseUrl: tool.url, refusesSuspendedAtOnce: true, ownUserName: 'quartermaster' },
        secrets: { token: 'canary-tool-secret' },
        allowPrivateAddresses: true,
        owners: ['it@acme.example'],
        callsPerSecond: 1_000,
      });
    }
    if (!this.byHand) return;
    await this.call('POST', '/v1/tools', {
      key: 'by-hand',
      name: 'Badge office',
      connector: 'manual',
      environment: 'test',
      settings: { toolName: 'Badge office', notes: 'Ground floor, extension 110.' },
      owners: ['it@acme.example'],
    });
  }

  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** A case with its steps, as the REST door shows it. */
  async case(id: string): Promise<CaseSeen> {
    return this.call<CaseSeen>('GET', `/v1/cases/${id}`);
  }

  async untilCase(
    id: string,
    what: string,
    condition: (one: CaseSeen) => boolean,
    withinMs = 40_000,
  ): Promise<CaseSeen> {
    let last: CaseSeen | undefined;
    try {
      return await waitFor(
        `case ${id}: ${what}`,
        async () => {
          last = await this.case(id);
          return condition(last) ? last : null;
        },
        { withinMs, everyMs: 50 },
      );
    } catch (error) {
      const steps = last?.steps.map(
        ({ act, toolName, state, reason }) => `${act} ${toolName} ${state} ${reason ?? ''}`,
      );
      throw new Error(
        `${String(error)}\n${steps?.join('\n')}\n${this.processes.map((one) => one.output()).join('\n---\n')}`,
        { cause: error },
      );
    }
  }

  async untilClosed(id: string, withinMs = 40_000): Promise<CaseSeen> {
    return this.untilCase(id, 'is closed', ({ state }) => state === 'closed', withinMs);
  }

  /** A person in engineering whose accounts are all there; answers the ids. */
  async join(
    employee: EmployeeFacts = newEmployee(),
  ): Promise<{ employee: EmployeeFacts; personId: string; caseId: string }> {
    const { body } = await this.hr.post(joined(employee));
    const caseId = String(body['caseId']);
    await this.untilClosed(caseId);
    const { personId } = await this.call<{ personId: string }>('GET', `/v1/cases/${caseId}`);
    return { employee, personId, caseId };
  }

  /** A laptop in the person's hands. */
  async giveLaptop(personId: string, tag = randomUUID().slice(0, 8)): Promise<string> {
    const model = await this.call<{ id: string }>('POST', '/v1/device-models', {
      name: `Model ${tag}`,
      manufacturer: 'Acme',
    });
    const device = await this.call<{ id: string }>('POST', '/v1/devices', {
      assetTag: tag,
      serial: tag,
      modelId: model.id,
    });
    await this.call('POST', `/v1/devices/${device.id}/assign`, { personId });
    return device.id;
  }

  /** Rows of one column and more, straight from the database. */
  async rows<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.db.query<Row>(sql, parameters)).rows;
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill('SIGKILL')));
    await this.db?.end().catch(() => undefined);
    await this.redis?.stop();
    await Promise.all(this.tools.map((tool) => tool.stop()));
    await this.database.drop();
  }
}

function policyFor(tools: number, byHand: boolean): string {
  const keys = [...Array.from({ length: tools }, (_, index) => `tool-${index}`), ...(byHand ? ['by-hand'] : [])];
  const lines = keys.map((key) => `      - tool: ${key}`);
  return [
    'corporateDomains: [acme.example]',
    'rules:',
    '  - name: engineering',
    '    when: { department: engineering }',
    '    tools:',
    ...lines,
    '',
  ].join('\n');
}

export interface EmployeeFacts {
  id: string;
  givenName: string;
  familyName: string;
  workEmail: string;
  department: string;
  timeZone: string;
  startDate: string;
}

export function newEmployee(facts: Partial<EmployeeFacts> = {}): EmployeeFacts {
  const tag = randomUUID().slice(0, 8);
  return {
    id: `E-${tag}`,
    givenName: 'Ada',
    familyName: `Example ${tag}`,
    workEmail: `ada.${tag}@acme.example`,
    department: 'engineering',
    timeZone: 'Europe/Berlin',
    startDate: '2026-01-05',
    ...facts,
  };
}

/** The user name that the person gets at every tool. */
export function usernameOf({ workEmail }: EmployeeFacts): string {
  return workEmail.slice(0, workEmail.indexOf('@'));
}

export function joined(employee: EmployeeFacts, occurredAt = new Date()): Record<string, unknown> {
  return { type: 'employee.joined', occurredAt: occurredAt.toISOString(), employee };
}

export function left({ id }: EmployeeFacts, occurredAt = new Date()): Record<string, unknown> {
  return {
    type: 'employee.left',
    occurredAt: occurredAt.toISOString(),
    employee: { id, endDate: occurredAt.toISOString().slice(0, 10) },
    immediate: true,
  };
}
