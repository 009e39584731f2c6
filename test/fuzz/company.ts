import { readFileSync } from 'node:fs';
import { Cosigner } from '../../src/platform/audit/cosignature.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { aDevice, anImageVersion, aReturn, aSite } from '../factories/devices.js';
import { anHrEmployee, hasJoined } from '../factories/hr-events.js';
import { aSecurityKey } from '../factories/identities.js';
import { aDraft, aPublishedVersion } from '../factories/images.js';
import { aPerson } from '../factories/people.js';
import { LossReport } from '../../src/lost-devices/reports/loss-report.entity.js';
import type { ServiceApp } from '../factories/service-app.js';
import { newId } from '../../src/platform/ids/new-id.js';

/** A port of this machine at which nobody listens: whatever a request makes the service call, it calls this. */
const NOBODY = 'http://127.0.0.1:9';
/** Stand for every secret that is sent; one that is seen in a log or an answer was leaked. */
export const CANARIES = ['canary-secret-of-a-tool-1f9d', 'CanaryOfPagerDuty0000000000000ab', 'canary-signing-0b1e'];
const [TOKEN, ROUTING_KEY] = CANARIES;
const IN_TEST = { environment: 'test', owners: ['it@acme.example'], allowPrivateAddresses: true };

/** What stands behind the addresses when the fuzz begins. */
export interface Company {
  /** Ids of tools and alert channels at this machine: only these may be called. */
  callable: Readonly<Record<string, readonly string[]>>;
  /** Steps that wait for a person. */
  humanSteps: readonly string[];
  /** Whole bodies, by operation, where what fits together is seldom drawn. */
  examples: Readonly<Record<string, readonly Example[]>>;
}

export type Example = (drawn: number) => unknown;

/** People, cases, steps in several states, devices and tools that can be named by valid requests. */
export async function aCompany(service: ServiceApp): Promise<Company> {
  const admin = await service.caller('admin');
  const tool = async (key: string, connector: string, settings: object, secrets: object): Promise<string> => {
    const { body } = await admin
      .post('/v1/tools')
      .send(aTool(key, connector, settings, secrets))
      .expect(201);
    return String(body.id);
  };
  const tools = [
    await tool('scim-tool', 'scim', { baseUrl: NOBODY, ownUserName: 'quartermaster' }, { token: TOKEN }),
    await tool('by-hand', 'manual', { toolName: 'The desk' }, {}),
    await tool('own-tool', 'webhook', { url: `${NOBODY}/quartermaster` }, { secret: OWN_TOOL_SECRET }),
  ];
  const channel = await admin.post('/v1/alert-channels').send(aChannel('oncall')).expect(201);
  await admin.post('/v1/hr-sources').send({ name: HR_SOURCE }).expect(201);
  for (const id of EMPLOYEES) await service.post(hasJoined(anHrEmployee({ id }))).expect(202);
  const [toolId] = tools;
  const { manager } = service.db;
  const accounts = [await anAccount(manager, { toolId }), await anAccount(manager, { toolId, personId: null })];
  for (const state of ['ready', 'waived', 'done'] as const) await aStep(manager, { state, toolId });
  const humanSteps: string[] = [];
  while (humanSteps.length < 12) humanSteps.push((await aStep(manager, { state: 'needs_human', toolId: tools[1] })).id);
  await aCase(manager, { kind: 'lost_device', lane: 'emergency' });
  const { id: siteId } = await aSite(manager, { address: 'Example Street 1' });
  for (let made = 0; made < 6; made += 1) {
    await aReturn(manager, { siteId });
    await aReturn(manager, { siteId, state: 'received' });
  }
  const held: string[] = [];
  const free: string[] = [];
  while (held.length < 8) {
    free.push((await aDevice(manager)).id);
    held.push((await aDevice(manager, { siteId, holderId: (await aPerson(manager)).id })).id);
  }
  for (const id of free.splice(0, 4)) {
    const { id: personId } = await aPerson(manager);
    await admin.post(`/v1/devices/${id}/assign`).send({ personId }).expect(200);
  }
  const { id: ownerPersonId } = await aPerson(manager);
  await anImageVersion(manager);
  await admin.put('/v1/runbooks/laptop-lost').send(RUNBOOK).expect(200);
  const losses: string[] = [];
  for (const deviceId of held.splice(0, 2)) {
    const { body } = await admin.post('/v1/lost-devices').send({ deviceId }).expect(202);
    losses.push(body.caseId);
  }
  await admin.post(`/v1/lost-devices/${losses[0]}/containment`).send(A_LOCK).expect(200);
  const versions: string[] = [];
  while (versions.length < 6) versions.push((await aPublishedVersion(admin)).id);
  for (const imageVersionId of versions) {
    const stick = { serial: `stick-${imageVersionId}`, capacityBytes: 32e9, imageVersionId };
    await admin.post('/v1/images/media').send(stick).expect(201);
    await aDraft(admin);
  }
  await service.db.query(
    `INSERT INTO device_packages (device_id, packages, source, observed_at) SELECT id, '[]', 'osquery', now() FROM devices`,
  );
  await someAgents(service, 12);
  for (let made = 0; made < 6; made += 1) await aSecurityKey(manager);
  for (let made = 0; made < 12; made += 1) {
    await manager.insert(LossReport, { id: newId(), email: `person-${made}@acme.example` });
  }
  await service.db.query(
    `INSERT INTO alerts (id, dedup_key, kind, severity, owner, message) VALUES ($1, 'fuzz', 'tool_paused', 'error', 'it', 'm')`,
    [newId()],
  );
  return {
    callable: {
      '/v1/tools': tools,
      '/v1/alert-channels': [String(channel.body.id)],
      '/v1/accounts': accounts.map(({ id }) => id),
    },
    humanSteps,
    examples: {
      'POST /v1/tools': [
        (drawn) => aTool(`drawn-${drawn}`, 'scim', { baseUrl: NOBODY }, { token: TOKEN }),
        (drawn) => aTool(`drawn-${drawn}`, 'manual', { toolName: 'The desk' }, {}),
      ],
      'PATCH /v1/tools/{id}': [() => ({ name: 'Renamed' })],
      'POST /v1/tokens': [() => ({ name: 'Drawn', scopes: ['people:read'], ownerPersonId })],
      'POST /v1/alert-channels': [(drawn) => aChannel(`drawn-${drawn}`)],
      // At most what is set already, of some kinds: to raise a limit takes two people.
      'PUT /v1/brake-limits/{kind}': [() => ({ atLeast: 10, sharePercent: 5 })],
      'POST /v1/audit/witnesses': [(drawn) => aWitness(`witness.example/drawn-${drawn}`)],
      'PUT /v1/sites/{name}': [() => ({ zone: 'Europe/Berlin' })],
      'POST /v1/returns': [(drawn) => ({ deviceId: held[drawn % held.length] })],
      'POST /v1/images/media/{id}/read-backs': [() => ({ verdict: 'interrupted' })],
      'PATCH /v1/images/versions/{id}': [() => ({ changeLog: 'Reworded.' })],
      'PATCH /v1/devices/{id}': [() => ({ working: true })],
      'POST /v1/lost-devices': [(drawn) => ({ deviceId: held[drawn % held.length] })],
      'POST /v1/lost-devices/preview': [(drawn) => ({ deviceId: held[drawn % held.length] })],
      'POST /v1/loss-reports/{id}/confirm': [
        (drawn) => ({ how: 'called_back', note: 'On the desk.', deviceId: held[drawn % held.length] }),
      ],
      'POST /v1/lost-devices/{caseId}/containment': [() => A_LOCK],
      'PUT /v1/runbooks/laptop-lost': [() => RUNBOOK],
      'POST /v1/osquery/enrolment-secrets': [() => anEnrolment(2)],
      'POST /v1/osquery/nodes/{id}/match': [(drawn) => ({ deviceId: free[drawn % free.length] })],
    },
  };
}

const RUNBOOK = {
  source: 'laptop-lost.yaml',
  text: readFileSync(new URL('../../docs/runbooks/laptop-lost.yaml', import.meta.url), 'utf8'),
};
const A_LOCK = { decision: 'lock', reason: 'It was encrypted.' };

function anEnrolment(uses: number): object {
  return { name: 'laptops', uses, expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
}

/** Enrolled, and of no device. */
async function someAgents(service: ServiceApp, count: number): Promise<void> {
  const admin = await service.caller('admin');
  const { body } = await admin.post('/v1/osquery/enrolment-secrets').send(anEnrolment(count)).expect(201);
  for (let index = 0; index < count; index += 1) {
    const enrolment = { enroll_secret: body.secret, host_identifier: `laptop-${index}` };
    await service.stranger.post('/v1/osquery/enroll').send(enrolment).expect(200);
  }
}

/** Beside `hr`, whose secret the fuzz signs with. */
const HR_SOURCE = 'payroll';
export const EMPLOYEES = ['E-1', 'E-2', 'E-3', 'E-4'];
export const OWN_TOOL_SECRET = `whsec_${Buffer.from('canary-signing-0b1e-0123456789ab').toString('base64')}`;

function aChannel(name: string): object {
  const settings = { baseUrl: NOBODY, allowPrivateAddresses: true };
  return { kind: 'pagerduty', name, settings, secret: ROUTING_KEY };
}

function aWitness(name: string): object {
  return { url: NOBODY, key: new Cosigner(name, Buffer.alloc(32, 9)).verifier.toString(), allowPrivateAddresses: true };
}

function aTool(key: string, connector: string, settings: object, secrets: object): object {
  return { key, name: key, connector, settings, secrets, ...IN_TEST };
}

/** Values that no schema tells of, by name: with them more requests get past the first check. */
export const KNOWN_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  connector: ['scim', 'manual', 'postgres', 'ldap', 'webhook', 'redis-acl', 'ssh-gateway', 'no-such-connector'],
  settings: [
    { baseUrl: NOBODY },
    { baseUrl: NOBODY, ownUserName: 'quartermaster' },
    { toolName: 'The desk' },
    { host: '127.0.0.1', port: 9, database: 'x' },
    { url: NOBODY },
  ],
  secrets: [{}, { token: TOKEN }, { password: TOKEN }, { user: 'x', password: TOKEN }, { secret: OWN_TOOL_SECRET }],
  secret: [ROUTING_KEY, TOKEN],
  workEmail: ['ada@acme.example', 'Grace.Hopper@acme.example', 'ada@private.example'],
  timeZone: ['Europe/Berlin', 'Pacific/Kiritimati', 'America/New_York', 'UTC', 'Etc/GMT+12'],
  employeeId: EMPLOYEES,
  publicKey: [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrkfTnqxBQH0Uoj9UMHGJ2bEQ8dQ4HJpmiQ0yrTcVXW ada',
    'ssh-rsa AAAA',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==',
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
  ],
  text: [
    'corporateDomains: [acme.example]\nrules: []\n',
    'corporateDomains: [acme.example]\nrules:\n  - name: all\n    when: {}\n    tools: [{ tool: by-hand }]\n',
    // Aliases that grow: a document of a few lines that would be gigabytes.
    'bcdefghi'
      .split('')
      .reduce(
        (text, name, at) => `${text}\n${name}: &${name} [${`*${'abcdefghi'.charAt(at)},`.repeat(9)}]`,
        'a: &a [x,x]',
      ),
    'a: &a [*a]',
    '? {a: 1}\n: b',
    '<<: 1\n__proto__: {x: 1}',
    '!!js/function "x"',
    '%YAML 9.9\n---\n- \t- x',
    '- '.repeat(5_000),
    '{'.repeat(5_000),
    '---\n'.repeat(500),
  ],
  'path:source': ['hr', 'hr', 'nobody'],
  'path:tool': ['own-tool', 'scim-tool', 'no-such-tool'],
  'path:name': ['Berlin', 'a b', 'x/y', HR_SOURCE],
  'path:computer': ['S-1-5-21', 'CN=pc,DC=acme'],
  'header:Upload-Offset': ['0', '0', '50'],
  'header:If-Match': ['"1"', '"1"', '"2"', '"3"'],
  device: ['QM-1'],
  owner: ['it@acme.example', 'The service desk'],
  for: ['desk@acme.example', 'The service desk'],
  owners: ['it@acme.example', 'grace@acme.example'],
  zone: ['Europe/Berlin', 'Mars/Phobos'],
};
