import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startExampleTool, type ExampleTool } from '../../connectors/webhook/example-tool.js';
import { DeviceManager } from '../demo/device-manager.js';
import { HR_SOURCE, HrSystem } from '../demo/hr-system.js';
import { QuartermasterApi } from '../demo/quartermaster-api.js';
import type { StopList } from '../demo/stop-list.js';
import { freePort } from '../embedded/free-port.js';
import { makeReachableFolder } from '../embedded/places.js';
import { startEmbeddedPostgres } from '../embedded/postgres.js';
import { runCli } from '../run-cli.js';
import { startService } from '../supervisor.js';

/** A company of one person and simulated tools, on an installation of its own that goes with it. */
export interface DrillStage {
  api: QuartermasterApi;
  /** Another person: a wipe takes two. */
  second: QuartermasterApi;
  hr: HrSystem;
  tools: readonly ExampleTool[];
  deviceManager: DeviceManager;
  deviceManagerId: string;
  signal: AbortSignal;
}

const DOMAIN = 'drill.example';

export async function startStage(
  { tools: count, runbook }: { tools: number; runbook: string },
  stops: StopList,
  signal: AbortSignal,
): Promise<DrillStage> {
  const folder = join(tmpdir(), `quartermaster-drill-${randomUUID()}`);
  await makeReachableFolder(folder);
  stops.add(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataFolder: join(folder, 'postgres') });
  stops.add(() => postgres.stop());
  const names = Array.from({ length: count }, (_, index) => `simulated-${index + 1}`);
  const port = await freePort();
  await mkdir(join(folder, 'policy'));
  const policyFile = join(folder, 'policy', 'access-policy.yaml');
  await writeFile(policyFile, policyFor(names));
  const surroundings = {
    databaseUrl: await postgres.ensureDatabase('drill'),
    redisUrl: null,
    keyFile: join(folder, 'keys.json'),
  };
  const env = {
    DATABASE_URL: surroundings.databaseUrl,
    REDIS_URL: undefined,
    QUARTERMASTER_KEY_FILE: surroundings.keyFile,
    QUARTERMASTER_ENVIRONMENT: 'test',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ACCESS_POLICY_FILE: policyFile,
    RUNBOOK_FILE: runbook,
    LOG_LEVEL: 'error',
  };
  const cli = async (...args: string[]) => lastWord(await runCli(args, env, signal));
  await cli('migrate', 'up');
  await cli('init');
  const hrSecret = await cli('hr-source', 'add', HR_SOURCE);
  const service = await startService({ ...surroundings, port, env, signal });
  stops.add(() => service.stop());
  const signIn = async (name: string) =>
    QuartermasterApi.bySignInLink(service.baseUrl, await cli('sign-in-link', '--name', name), signal);
  const api = await signIn('Robin Keeper');
  const deviceManager = await DeviceManager.start();
  stops.add(() => deviceManager.stop());
  return {
    api,
    second: await signIn('Sam Second'),
    hr: new HrSystem(service.baseUrl, hrSecret, signal),
    tools: await Promise.all(names.map((name) => simulate(name, api, stops))),
    deviceManager,
    deviceManagerId: await register(api, 'device-manager', {
      connector: 'fleet',
      settings: { baseUrl: deviceManager.url },
      secrets: { token: deviceManager.token },
    }),
    signal,
  };
}

async function simulate(name: string, api: QuartermasterApi, stops: StopList): Promise<ExampleTool> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const tool = await startExampleTool({ secret, groups: [] });
  stops.add(() => tool.close());
  await register(api, name, {
    connector: 'webhook',
    settings: { url: `${tool.url}/quartermaster` },
    secrets: { secret },
  });
  return tool;
}

/** @returns its id */
async function register(
  api: QuartermasterApi,
  name: string,
  connection: { connector: string; settings: object; secrets: object },
): Promise<string> {
  const common = { environment: 'test', allowPrivateAddresses: true, owners: [`keeper@${DOMAIN}`] };
  return (await api.post('/v1/tools', { key: name, name, ...common, ...connection }, z.object({ id: z.uuid() }))).id;
}

function policyFor(tools: readonly string[]): string {
  const rule = ['rules:', '  - name: everyone', '    tools:', ...tools.map((tool) => `      - tool: ${tool}`)];
  return `${[`corporateDomains: [${DOMAIN}]`, ...rule].join('\n')}\n`;
}

function lastWord(output: string): string {
  return output.trim().split(/\s+/).at(-1) ?? '';
}

/** Somebody joins, as the HR system tells it. */
export function joined(): { event: Record<string, unknown>; username: string } {
  const employee = {
    id: 'drill-1',
    givenName: 'Dana',
    familyName: 'Drill',
    workEmail: `dana.drill@${DOMAIN}`,
    department: 'engineering',
    timeZone: 'Europe/Berlin',
    startDate: '2026-01-05',
  };
  return { event: { type: 'employee.joined', occurredAt: new Date().toISOString(), employee }, username: 'dana.drill' };
}
