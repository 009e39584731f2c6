import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { AskDeviceManagers } from '../../src/device-managers/ask-device-managers.service.js';
import { cliContext } from '../../src/cli/cli-context.js';
import type { CliContext } from '../../src/cli/command.js';
import { runCli } from '../../src/cli/run-cli.js';
import { DeviceEnrolments } from '../../src/devices/device-enrolments.service.js';
import { DeviceCommandCall } from '../../src/lost-devices/commands/device-command-call.entity.js';
import { GiveCommands } from '../../src/lost-devices/commands/give-commands.service.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { SCOPES } from '../../src/platform/sign-in/actor.js';
import { FleetEmulator, type FleetEmulatedHost } from '../emulators/fleet/fleet-emulator.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import { aUser } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

let service: ServiceApp;
let fleet: FleetEmulator;
let tx: EntityManager;
type Caller = Awaited<ReturnType<ServiceApp['caller']>>;
let admin: Caller;
let linus: Caller;
let give: GiveCommands;
let token: { role: string | null };
let toolId: string;

beforeAll(async () => {
  [service, fleet] = await Promise.all([startServiceApp(), FleetEmulator.start()]);
  await liftBrakeLimits(service.app);
  tx = service.db.manager;
  give = service.app.get(GiveCommands);
  admin = (await aUser(service.app, 'owner', { name: 'Grace' })).agent;
  linus = (await aUser(service.app, 'security', { name: 'Linus' })).agent;
  const user = fleet.addUser('quartermaster@acme.example', 'maintainer');
  token = user;
  const wish = {
    key: 'fleet',
    name: 'Fleet',
    connector: 'fleet',
    environment: 'test',
    settings: { baseUrl: fleet.url },
    secrets: { token: user.token },
    allowPrivateAddresses: true,
    owners: ['it@acme.example'],
  };
  toolId = (await admin.post('/v1/tools').send(wish).expect(201)).body.id;
});
afterAll(async () => {
  await service?.close();
  await fleet?.stop();
});

interface Lost {
  caseId: string;
  deviceId: string;
  host: FleetEmulatedHost;
}

/** Somebody's laptop, away and lost, that Fleet had in its last round. */
async function aLoss(with_: Partial<FleetEmulatedHost> = {}): Promise<Lost> {
  const laptop = await aDevice(tx, { holderId: (await aPerson(tx)).id });
  const host = fleet.addHost({ serial: laptop.serial, isOnline: false, ...with_ });
  await enrolled(laptop.id, host);
  const { body } = await admin.post('/v1/lost-devices').send({ deviceId: laptop.id }).expect(202);
  return { caseId: body.caseId, deviceId: laptop.id, host };
}

/** As Fleet's last round showed it. */
async function enrolled(deviceId: string, { id }: FleetEmulatedHost): Promise<void> {
  await service.app.get(DeviceEnrolments).seen(tx, toolId, [{ deviceId, externalId: String(id) }]);
}

async function askFleet(): Promise<void> {
  await tx.query(`UPDATE device_manager_rounds SET next_at = now()`);
  await service.app.get(AskDeviceManagers).askAllDue();
}

const path = ({ caseId }: Lost, rest = '') => `/v1/lost-devices/${caseId}${rest}`;
const lossOf = async (lost: Lost) => (await admin.get(path(lost)).expect(200)).body;
const commandsOf = async (lost: Lost) => (await lossOf(lost)).commands;
const newestOf = async (lost: Lost) => (await commandsOf(lost)).at(-1);
const contain = async (lost: Lost, decision: string) =>
  (await admin.post(path(lost, '/containment')).send({ decision, reason: 'As the runbook says.' }).expect(200)).body;
async function wipe(lost: Lost): Promise<void> {
  const { approval } = await contain(lost, 'wipe');
  await linus.post(`/v1/approvals/${approval.id}/approve`).send({}).expect(200);
}
/** As if the orders of other tests weren't due. */
const alone = ({ caseId }: Pick<Lost, 'caseId'>) =>
  tx.query(
    `UPDATE device_commands SET due_at = now() + interval '1 hour', leased_until = NULL
     WHERE case_id <> $1 AND due_at IS NOT NULL`,
    [caseId],
  );
/** The order of this loss, when it is due. */
async function take(lost: Lost) {
  await alone(lost);
  return (await give.takeDue()).find(({ caseId }) => caseId === lost.caseId);
}
async function work(lost: Lost): Promise<void> {
  const taken = await take(lost);
  if (taken) await give.carryOn(taken);
}
/** As if two minutes were over, and whoever had its order were dead. */
async function workLater(lost: Lost): Promise<void> {
  await tx.query(
    `WITH mine AS (UPDATE device_commands SET due_at = now(), leased_until = NULL
       WHERE case_id = $1 AND due_at IS NOT NULL RETURNING id)
     UPDATE device_command_calls SET intended_at = intended_at - interval '2 minutes' WHERE command_id IN (SELECT id FROM mine)`,
    [lost.caseId],
  );
  await work(lost);
}
const orders = ({ host }: Lost) =>
  fleet.orders.flatMap((order) => (order.endsWith(` ${host.id}`) ? [order.split(' ')[0]] : []));
const openAlerts = async (kind: string, { caseId }: Lost) =>
  (await tx.findBy(Alert, { kind })).filter(({ message, resolvedAt }) => message.includes(caseId) && !resolvedAt);
const stuck = (lost: Lost) => openAlerts('device_command_stuck', lost);

describe('the order to lock a lost machine', () => {
  it('is given by the service: asked for while it is away, acknowledged once it came by, verified by nobody yet', async () => {
    const lost = await aLoss();
    expect((await lossOf(lost)).givers).toMatchObject({
      lock: { by: 'service', tool: 'Fleet', computerId: String(lost.host.id), only: expect.stringContaining('Macs') },
    });
    await contain(lost, 'lock');
    expect(await newestOf(lost)).toMatchObject({ state: 'ordered', givenBy: 'service', tool: 'Fleet' });
    // As the emergency worker does twice a second.
    await give.beginDue((error) => expect.fail(String(error)));
    await give.stop();
    expect(await newestOf(lost)).toMatchObject({ state: 'requested', needsPerson: false });
    await workLater(lost);
    expect(orders(lost)).toEqual(['lock']);
    const { id } = await newestOf(lost);
    const verified = () =>
      admin.post(path(lost, `/commands/${id}/progress`)).send({ state: 'verified', note: 'It is on my desk, locked.' });
    expect((await verified().expect(409)).body.detail).toContain('“Fleet” shows the lock as pending');
    fleet.comesBy(lost.host);
    await workLater(lost);
    const locked = await newestOf(lost);
    expect(locked).toMatchObject({ state: 'acknowledged', looksAgainAt: null });
    expect(locked.events.map(({ state, seenBy }: { state: string; seenBy: string }) => [state, seenBy])).toEqual([
      ['ordered', 'Grace'],
      ['requested', 'Quartermaster'],
      ['acknowledged', 'Quartermaster'],
    ]);
    await verified().expect(200);
    expect(await newestOf(lost)).toMatchObject({ state: 'verified', verifiedBy: 'manager' });
  });

  it('is given once when its worker dies between the intent and the call', async () => {
    const lost = await aLoss();
    await contain(lost, 'lock');
    const taken = await take(lost);
    const intended = taken && (await give.prepare(taken));
    expect(intended).toMatchObject({ act: 'lock' });
    const calls = async () =>
      (await tx.find(DeviceCommandCall, { where: { commandId: taken?.id ?? '' }, order: { intendedAt: 'ASC' } })).map(
        ({ outcome }) => outcome,
      );
    expect([orders(lost), await calls()]).toEqual([[], [null]]);
    expect(await take(lost)).toBeUndefined();
    await workLater(lost);
    expect([orders(lost), await calls()]).toEqual([['lock'], ['lost', 'taken']]);
    expect(await newestOf(lost)).toMatchObject({ state: 'requested' });
  });

  it('is given once when its worker dies after the call, and when the answer is lost', async () => {
    const dead = await aLoss();
    await contain(dead, 'lock');
    const taken = await take(dead);
    if (taken) await give.prepare(taken);
    // The call went out, and its worker was gone.
    fleet.request(dead.host, 'lock');
    await workLater(dead);
    expect([orders(dead), (await newestOf(dead)).state]).toEqual([[], 'requested']);
    const lost = await aLoss();
    await contain(lost, 'lock');
    fleet.nextOrder('lose-answer');
    await work(lost);
    expect(await newestOf(lost)).toMatchObject({ state: 'requested' });
    await workLater(lost);
    expect(orders(lost)).toEqual(['lock']);
  });

  it('that failed at the machine is given again', async () => {
    const lost = await aLoss();
    await contain(lost, 'lock');
    await work(lost);
    fleet.comesBy(lost.host, { fails: true });
    await workLater(lost);
    expect(await newestOf(lost)).toMatchObject({ state: 'failed' });
    expect(orders(lost)).toEqual(['lock']);
    await workLater(lost);
    expect(orders(lost)).toEqual(['lock', 'lock']);
    expect(await newestOf(lost)).toMatchObject({ state: 'acknowledged' });
  });

  it('isn’t given by who took it before it was decided otherwise', async () => {
    const lost = await aLoss();
    await contain(lost, 'lock');
    const taken = await take(lost);
    await contain(lost, 'leave');
    if (taken) await give.carryOn(taken);
    await workLater(lost);
    expect([orders(lost), (await newestOf(lost)).state]).toEqual([[], 'superseded']);
  });

  it('doesn’t wait for another manager’s orders, however many of them hang', async () => {
    const { caseId, deviceId } = await aLoss();
    const { id: other } = await aTool(tx);
    const due = (tool: string, minutesAgo: number, orders: number) =>
      tx.query(
        `INSERT INTO device_commands (id, case_id, device_id, kind, state, ordered_by, given_by, tool_id, computer_id, due_at)
         SELECT gen_random_uuid(), $1, $2, 'lock', 'ordered', 'Grace', 'service', $3, '7', now() - $4 * interval '1 minute'
         FROM generate_series(1, $5)`,
        [caseId, deviceId, tool, minutesAgo, orders],
      );
    await due(toolId, 60, 20);
    await due(other, 0, 1);
    await alone({ caseId });
    const taken = [...(await give.takeDue()), ...(await give.takeDue())].map((order) => order.toolId);
    expect(taken.toSorted()).toEqual([...Array<string>(8).fill(toolId), other].toSorted());
    await tx.query(`DELETE FROM device_commands WHERE case_id = $1`, [caseId]);
  });

  it('is given by hand where no manager has the machine, or two records may be it', async () => {
    const unmanaged = await aLoss();
    await tx.query(`DELETE FROM device_enrolments WHERE device_id = $1`, [unmanaged.deviceId]);
    const twice = await aLoss();
    await enrolled(twice.deviceId, fleet.addHost({ serial: twice.host.serial }));
    for (const lost of [unmanaged, twice]) {
      await contain(lost, 'lock');
      expect(await newestOf(lost)).toMatchObject({ givenBy: 'hand', tool: null, problem: expect.any(String) });
      await work(lost);
      expect(orders(lost)).toEqual([]);
    }
  });

  it('that the manager refuses, or can’t be asked for, needs a person, who is told; what is mended goes on by itself', async () => {
    const lost = await aLoss();
    await contain(lost, 'lock');
    token.role = 'observer';
    await work(lost);
    token.role = 'maintainer';
    expect(await newestOf(lost)).toMatchObject({ state: 'ordered', needsPerson: true });
    expect((await stuck(lost))[0]?.message).toContain('by hand');
    fleet.next({ status: 503 });
    await workLater(lost);
    expect(await newestOf(lost)).toMatchObject({ state: 'ordered', needsPerson: false });
    await workLater(lost);
    expect([(await newestOf(lost)).state, await stuck(lost)]).toEqual(['requested', []]);
  });

  it('whose record is deleted at the manager stays, and needs a person until they answer for it', async () => {
    const lost = await aLoss();
    await contain(lost, 'lock');
    await work(lost);
    await askFleet();
    expect((await lossOf(lost)).givers.wipe).toMatchObject({ by: 'service', computerId: String(lost.host.id) });
    fleet.deleteHost(lost.host);
    await askFleet();
    expect((await lossOf(lost)).givers.wipe).toMatchObject({ by: 'hand', because: expect.any(String) });
    await workLater(lost);
    const order = await newestOf(lost);
    expect(order).toMatchObject({ state: 'requested', needsPerson: true });
    expect(order.problem).toContain('may still be carried out');
    expect(await stuck(lost)).toHaveLength(1);
    await admin
      .post(path(lost, `/commands/${order.id}/progress`))
      .send({ state: 'risk_accepted', note: 'It never came back.' })
      .expect(200);
    await workLater(lost);
    expect([(await newestOf(lost)).state, await stuck(lost)]).toEqual(['risk_accepted', []]);
  });
});

describe('the order to wipe a lost machine', () => {
  it('waits for the lock that it supersedes, unlocks what is locked, and wipes it then', async () => {
    const lost = await aLoss({ platform: 'windows' });
    await contain(lost, 'lock');
    await work(lost);
    await wipe(lost);
    await workLater(lost);
    expect(await commandsOf(lost)).toMatchObject([
      { kind: 'lock', state: 'superseded' },
      { kind: 'wipe', state: 'ordered', problem: expect.stringContaining('pending'), needsPerson: false },
    ]);
    fleet.comesBy(lost.host);
    await workLater(lost);
    await workLater(lost);
    expect(orders(lost)).toEqual(['lock', 'unlock', 'wipe']);
    expect(await newestOf(lost)).toMatchObject({ kind: 'wipe', state: 'acknowledged' });
  });

  it('of a Mac that is locked needs somebody at it', async () => {
    const lost = await aLoss({ deviceStatus: 'locked' });
    await wipe(lost);
    await work(lost);
    expect(await newestOf(lost)).toMatchObject({ needsPerson: true, problem: expect.stringContaining('PIN') });
    expect(orders(lost)).toEqual([]);
  });

  it('isn’t given under a legal hold that came after the approval, nor when that is lifted: it is decided anew', async () => {
    const lost = await aLoss();
    await wipe(lost);
    const taken = await take(lost);
    await admin.patch(path(lost)).send({ legalHold: true }).expect(204);
    // Also not by a worker that took it just before.
    if (taken) await give.carryOn(taken);
    await workLater(lost);
    await admin.patch(path(lost)).send({ legalHold: false }).expect(204);
    await workLater(lost);
    expect([orders(lost), (await newestOf(lost)).state]).toEqual([[], 'superseded']);
    await wipe(lost);
    await workLater(lost);
    expect(orders(lost)).toEqual(['wipe']);
  });

  it('is taken back under a legal hold after the machine was unlocked for it: people are told until they decide anew', async () => {
    const lost = await aLoss({ platform: 'windows', deviceStatus: 'locked' });
    await wipe(lost);
    await work(lost);
    expect(orders(lost)).toEqual(['unlock']);
    await admin.patch(path(lost)).send({ legalHold: true }).expect(204);
    expect(await newestOf(lost)).toMatchObject({ kind: 'wipe', state: 'superseded' });
    const [alert, ...more] = await openAlerts('wipe_under_hold', lost);
    expect([alert?.message, more]).toEqual([expect.stringContaining('asked to unlock it'), []]);
    await contain(lost, 'lock');
    expect(await openAlerts('wipe_under_hold', lost)).toEqual([]);
  });

  it('isn’t given to another machine than the approved one, nor to one that was found', async () => {
    const edited = await aLoss();
    await wipe(edited);
    // Even one that calls itself by the same serial number.
    const other = fleet.addHost({ serial: edited.host.serial, isOnline: false });
    await tx.query(`UPDATE device_commands SET computer_id = $2 WHERE case_id = $1`, [edited.caseId, String(other.id)]);
    const found = await aLoss();
    await wipe(found);
    await tx.query(`UPDATE devices SET state = 'found' WHERE id = $1`, [found.deviceId]);
    for (const lost of [edited, found]) {
      await workLater(lost);
      expect(orders(lost)).toEqual([]);
      expect(await newestOf(lost)).toMatchObject({ state: 'ordered', needsPerson: true });
    }
    expect(fleet.orders).not.toContain(`wipe ${other.id}`);
  });

  it('isn’t given when the machine was back since and is lost again: that is decided in the newest case', async () => {
    const lost = await aLoss();
    await wipe(lost);
    await tx.query(`UPDATE devices SET state = 'found' WHERE id = $1`, [lost.deviceId]);
    const { body } = await admin.post('/v1/lost-devices').send({ deviceId: lost.deviceId }).expect(202);
    const again = { ...lost, caseId: body.caseId };
    expect(again.caseId).not.toBe(lost.caseId);
    await workLater(lost);
    expect(orders(lost)).toEqual([]);
    expect(await newestOf(lost)).toMatchObject({ needsPerson: true, problem: expect.stringContaining('lost again') });
    const wish = { decision: 'lock', reason: 'As the runbook says.' };
    expect((await admin.post(path(lost, '/containment')).send(wish).expect(409)).body.detail).toContain('newest case');
    await contain(again, 'lock');
    await work(again);
    expect(orders(lost)).toEqual(['lock']);
    await contain(lost, 'leave');
    expect([(await newestOf(lost)).state, (await newestOf(again)).state]).toEqual(['superseded', 'requested']);
  });
});

describe('the order to unlock a machine that is back', () => {
  const unlock = (lost: Lost) => admin.post(path(lost, '/unlock')).send({ reason: 'Handed in at the front desk.' });
  async function locked(with_: Partial<FleetEmulatedHost> = {}): Promise<Lost> {
    const lost = await aLoss({ platform: 'windows', ...with_ });
    await contain(lost, 'lock');
    await work(lost);
    fleet.comesBy(lost.host);
    await workLater(lost);
    return lost;
  }
  async function found({ deviceId }: Lost): Promise<void> {
    const { headers } = await admin.get(`/v1/devices/${deviceId}`).expect(200);
    const change = admin.patch(`/v1/devices/${deviceId}`).set('If-Match', headers['etag'] ?? '');
    await change.send({ state: 'found' }).expect(200);
  }

  it('is one person’s, follows the lock, and is done when the manager shows it: not while it is away, and once', async () => {
    const lost = await locked();
    expect((await unlock(lost).expect(409)).body.detail).toContain('open to whoever has it');
    expect((await lossOf(lost)).whyNot).toMatchObject({ wipe: null, unlock: expect.any(String) });
    await found(lost);
    expect(await lossOf(lost)).toMatchObject({
      whyNot: { unlock: null, lock: expect.stringContaining('found') },
      givers: { unlock: { by: 'service', tool: 'Fleet' } },
    });
    lost.host.isOnline = false;
    const program = await service.caller('a script');
    const refused = await program.post(path(lost, '/unlock')).send({ reason: 'It answers again.' }).expect(403);
    expect(refused.body.detail).toContain('nobody’s');
    await unlock(lost).expect(200);
    expect((await unlock(lost).expect(409)).body.detail).toContain('follow that one');
    expect(await tx.countBy(AuditEntry, { caseId: lost.caseId, action: 'loss.unlock-ordered' })).toBe(1);
    await workLater(lost);
    expect(await commandsOf(lost)).toMatchObject([
      { kind: 'lock', state: 'superseded' },
      { kind: 'unlock', state: 'requested', givenBy: 'service' },
    ]);
    const { id } = await newestOf(lost);
    const verified = () =>
      admin.post(path(lost, `/commands/${id}/progress`)).send({ state: 'verified', note: 'It starts on my desk.' });
    expect((await verified().expect(409)).body.detail).toContain('“Fleet” shows the unlock as pending');
    fleet.comesBy(lost.host);
    await workLater(lost);
    expect([orders(lost), (await newestOf(lost)).state]).toEqual([['lock', 'unlock'], 'acknowledged']);
    await verified().expect(200);
    expect(await newestOf(lost)).toMatchObject({ state: 'verified', verifiedBy: 'manager' });
  });

  it('waits for a lock that is still pending, and is somebody’s at the machine where the manager can’t', async () => {
    const pending = await aLoss({ platform: 'windows' });
    await contain(pending, 'lock');
    await work(pending);
    await found(pending);
    await unlock(pending).expect(200);
    await workLater(pending);
    expect(await newestOf(pending)).toMatchObject({ state: 'ordered', problem: expect.stringContaining('pending') });
    fleet.comesBy(pending.host);
    await workLater(pending);
    expect(orders(pending)).toEqual(['lock', 'unlock']);
    const mac = await locked({ platform: 'darwin' });
    await found(mac);
    const atTheTerminal = {
      ...cliContext(
        {},
        () => undefined,
        () => undefined,
      ),
      actor: { kind: 'admin', id: 'terminal:ada', name: 'ada', scopes: SCOPES },
      withServices: (work) => work(service.app),
    } satisfies CliContext;
    expect(await runCli(['unlock-laptop', mac.caseId, 'It is on my desk.'], atTheTerminal)).toBe(0);
    await workLater(mac);
    expect(await newestOf(mac)).toMatchObject({ needsPerson: true, problem: expect.stringContaining('PIN') });
    expect(orders(mac)).toEqual(['lock']);
  });

  it('isn’t given once the machine is lost again, and ends with what is decided then', async () => {
    const lost = await locked();
    await found(lost);
    await unlock(lost).expect(200);
    const { body } = await admin.post('/v1/lost-devices').send({ deviceId: lost.deviceId }).expect(202);
    await workLater(lost);
    expect([orders(lost), (await newestOf(lost)).needsPerson]).toEqual([['lock'], true]);
    expect((await unlock(lost).expect(409)).body.detail).toContain('later case');
    const again = { ...lost, caseId: body.caseId };
    await contain(again, 'lock');
    expect(await newestOf(lost)).toMatchObject({ kind: 'unlock', state: 'superseded' });
    expect(await newestOf(again)).toMatchObject({ kind: 'lock', state: 'ordered' });
  });
});
