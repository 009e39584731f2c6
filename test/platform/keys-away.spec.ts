import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { callWithin } from '../../connectors/kit/deadline.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { KeyWatch } from '../../src/alerting/key-watch.service.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { TransitProvider } from '../../src/platform/crypto/providers/transit-provider.js';
import { SealingKeys } from '../../src/platform/crypto/sealing-keys.service.js';
import { RewrapSecrets } from '../../src/platform/crypto/rewrap-secrets.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { ToolSessions } from '../../src/tools/tool-sessions.service.js';
import { TransitEmulator } from '../emulators/transit/transit-emulator.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let transit: TransitEmulator;
let service: ServiceApp;

beforeAll(async () => {
  transit = await TransitEmulator.start();
  transit.makeKey('quartermaster');
  const tokenFile = join(await mkdtemp(join(inject('runFolder'), 'away-')), 'token');
  const token = transit.makeToken('transit/encrypt/quartermaster', 'transit/decrypt/quartermaster');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const provider = new TransitProvider({
    address: transit.address,
    keys: ['quartermaster'],
    mount: 'transit',
    namespace: undefined,
    ca: undefined,
    auth: { tokenFile },
  });
  // A key that is too old at once: every secret asks the engine, as after a long outage.
  const life = { renewAfter: 0, dropAfter: 0, askAgainAfter: 0 };
  service = await startServiceApp({ keyring: (installation) => new Keyring(installation, [provider], life) });
  await service.app.get(SealingKeys).rotate(SYSTEM, 'transit');
  await service.app.get(RewrapSecrets).run(SYSTEM);
});
afterAll(async () => {
  await service?.close();
  await transit?.stop();
});

const event = (id: string) => ({
  type: 'employee.joined',
  occurredAt: new Date().toISOString(),
  employee: {
    id,
    givenName: 'Ada',
    familyName: 'Example',
    workEmail: `${id}@acme.example`,
    department: 'engineering',
    timeZone: 'Europe/Berlin',
    startDate: '2026-01-05',
  },
});

it('tells an auditor which program runs, where its keys are and how long is kept what is observed, and no secret', async () => {
  const auditor = await service.caller('auditor', 'audit:read');
  const { body } = await auditor.get('/v1/installation').expect(200);
  const { fingerprint } = service.app.get(Keyring).installation;
  expect(body).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    environment: 'test',
    sealingKeys: [
      { ring: 'standard', state: 'current', provider: 'transit', keyName: expect.stringContaining('quartermaster') },
      { ring: 'standard', state: 'opening', provider: 'key-file', keyName: fingerprint },
    ],
    audit: { sealed: 0, dropped: 0 },
    observationsKeptDays: 400,
  });
});

it('asks an HR system to come again while the key service is away, and takes its event then', async () => {
  await service.post(event('ada-1')).expect(202);
  transit.isSealed = true;
  const refused = await service.post(event('ada-2'), { webhookId: 'msg_ada-2' }).expect(503);
  expect(refused.headers['retry-after']).toBe('5');
  expect(refused.body).toMatchObject({ type: '/problems/keys-away' });
  expect(JSON.stringify(refused.body)).not.toMatch(/transit|localhost|fingerprint/i);
  expect(service.log()).toContain('it is sealed');
  transit.isSealed = false;
  await service.post(event('ada-2'), { webhookId: 'msg_ada-2' }).expect(202);
});

it('lets a step try again later instead of asking for a tool’s secrets anew', async () => {
  const api = await service.caller();
  const chat = {
    key: 'chat',
    name: 'Chat',
    connector: 'scim',
    environment: 'test',
    settings: { baseUrl: 'https://chat.example/scim' },
    secrets: { token: 'canary-of-chat' },
    owners: ['it@acme.example'],
  };
  const tool = await api.post('/v1/tools').send(chat).expect(201);
  transit.isSealed = true;
  const error = await service.app
    .get(ToolSessions)
    .open(tool.body.id, callWithin(5_000))
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ToolError);
  expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('wait for the key') });
  await api
    .post('/v1/tools')
    .send({ ...chat, key: 'chat-2' })
    .expect(503);
  transit.isSealed = false;
  const session = await service.app.get(ToolSessions).open(tool.body.id, callWithin(5_000));
  await session.session.close();
});

it('is told by one alert and by the health check, until it is over', async () => {
  const { manager } = service.app.get(DataSource);
  const open = async () =>
    (await manager.findBy(Alert, { kind: 'keys_away' })).filter(({ resolvedAt }) => resolvedAt === null);
  const ready = async () => (await service.stranger.get('/health/ready').expect(200)).body as { keys: string };
  const watch = service.app.get(KeyWatch);
  await watch.look('API server');
  expect(await open()).toEqual([]);
  expect(await ready()).toMatchObject({ keys: 'up' });
  transit.isSealed = true;
  await watch.look('API server');
  await watch.look('API server');
  expect(await open()).toMatchObject([
    {
      severity: 'critical',
      message: expect.stringMatching(/^API server on .* from transit\..*it is sealed.*nothing is lost/),
    },
  ]);
  expect(await ready()).toMatchObject({ keys: 'down' });
  transit.isSealed = false;
  await watch.look('API server');
  expect(await open()).toEqual([]);
  expect(await ready()).toMatchObject({ keys: 'up' });
});
