import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCase } from '../../../test/factories/cases.js';
import { aDevice, aDeviceModel } from '../../../test/factories/devices.js';
import { startRecordsApp, type RecordsApp } from '../../../test/factories/records-app.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { newId } from '../../platform/ids/new-id.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';
import { ObservationsService } from '../observations.service.js';
import { ThinObservations } from '../retention/thin-observations.service.js';
import { DeviceReplacement } from '../spares/device-replacement.entity.js';
import { EncryptionKnowledge } from './encryption-knowledge.service.js';
import { ENCRYPTION_STATES, weakestOf, type EncryptionState, type VolumeSeen } from './encryption-states.js';

let records: RecordsApp;
let knowledge: EncryptionKnowledge;

beforeAll(async () => {
  records = await startRecordsApp();
  knowledge = records.app.get(EncryptionKnowledge);
});
afterAll(() => records?.close());

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

const volumesOf = (states: readonly EncryptionState[]): VolumeSeen[] =>
  states.map((state, index) => ({ volume: `disk ${index}`, role: 'internal', state }));

/** As agents report, each of them once, in a transaction of its own. */
async function report(deviceId: string, observedAt: Date, ...states: EncryptionState[]): Promise<void> {
  const seen = {
    kind: 'disk_encryption',
    source: `agent ${newId()}`,
    observedAt,
    report: { volumes: volumesOf(states) },
  } as const;
  await records.db.transaction((tx) => records.app.get(ObservationsService).takeIn(tx, deviceId, [seen]));
}

/** Instants as microseconds since 1970, as PostgreSQL has them. */
const micros = (at: Date): number => at.getTime() * 1_000;

interface Remembered {
  id: string;
  state: EncryptionState;
  observed: number;
  recorded: number;
}

/** The model: of what we had been told by then, the latest that says something. */
function knownThen(told: readonly Remembered[], then: number): Remembered | undefined {
  return told
    .filter(({ recorded, state }) => recorded <= then && state !== 'unknown')
    .toSorted((a, b) => b.observed - a.observed || (a.id < b.id ? 1 : -1))[0];
}

describe('what is known of a disk', () => {
  it('at any time is the latest answer among what had been told by then, through random histories', async () => {
    const happening = fc.record({
      device: fc.nat(2),
      // Few minutes, so that much is seen at the same instant; most come in late, in any order.
      minutesAgo: fc.nat(5),
      states: fc.array(fc.constantFrom(...ENCRYPTION_STATES), { minLength: 1, maxLength: 3 }),
    });
    const { id: modelId } = await aDeviceModel(records.db.manager);
    const ends: EncryptionState[] = [];
    const property = fc.asyncProperty(fc.array(happening, { maxLength: 10 }), async (happenings) => {
      const from = Date.now();
      const make = () => aDevice(records.db.manager, { modelId });
      const devices = [await make(), await make(), await make()].map(({ id }) => id);
      for (const { device, minutesAgo: minutes, states } of happenings) {
        await report(devices[device] ?? '', new Date(from - minutes * 60_000), ...states);
      }
      const told = await queryRows<Remembered & { deviceId: string }>(
        records.db,
        `SELECT id, device_id AS "deviceId", value AS state, (extract(epoch FROM observed_at) * 1e6)::float8 AS observed,
           (extract(epoch FROM recorded_at) * 1e6)::float8 AS recorded
         FROM device_observations WHERE device_id = ANY($1) ORDER BY id`,
        [devices],
      );
      expect(told.map(({ state }) => state)).toEqual(happenings.map(({ states }) => weakestOf(states)));
      const moments = [from - 1, ...told.map(({ recorded }) => Math.floor(recorded / 1_000)), Date.now()];
      for (const deviceId of devices) {
        const own = told.filter((one) => one.deviceId === deviceId);
        for (const moment of moments) {
          const at = new Date(moment);
          const expected = knownThen(own, micros(at));
          const known = await knowledge.at(records.db.manager, deviceId, at);
          expect(known.state).toBe(expected?.state ?? 'unknown');
          expect(known.answer?.observationId).toBe(expected?.id);
          if (expected) expect(known.answer?.ageSeconds).toBe(Math.floor((micros(at) - expected.observed) / 1e6));
          const vain = own.filter(
            (one) =>
              one.state === 'unknown' && one.recorded <= micros(at) && one.observed > (expected?.observed ?? -Infinity),
          );
          expect(known.inVain === null).toBe(vain.length === 0);
        }
        const [kept] = await queryRows<{ state: EncryptionState; observation_id: string | null }>(
          records.db,
          `SELECT state, observation_id FROM device_encryption WHERE device_id = $1`,
          [deviceId],
        );
        const now = knownThen(own, Infinity);
        expect(kept?.observation_id ?? undefined).toBe(now?.id);
        expect(kept?.state ?? 'unknown').toBe(now?.state ?? 'unknown');
        ends.push(now?.state ?? 'unknown');
      }
    });
    await fc.assert(property, { numRuns: 20, seed: 1 });
    const overview = await knowledge.overview(records.db.manager, SYSTEM);
    for (const state of ENCRYPTION_STATES) {
      const counted = overview.cells
        .filter((cell) => cell.state === state)
        .reduce((sum, cell) => sum + cell.devices, 0);
      expect(counted).toBe(ends.filter((end) => end === state).length);
    }
  });

  it('isn’t taken back by whoever asks in vain: the answer grows older, and the question is told of', async () => {
    const { id } = await aDevice(records.db.manager);
    await report(id, minutesAgo(90), 'encrypted');
    await report(id, minutesAgo(5), 'unknown');
    const api = await records.caller('devices:read');
    const { body } = await api.get(`/v1/devices/${id}/encryption`).expect(200);
    expect(body).toMatchObject({ state: 'encrypted', askedInVain: { why: 'disk 0: nobody could tell' } });
    expect(body.answer.ageSeconds).toBeGreaterThanOrEqual(5_400);
    const device = await api.get(`/v1/devices/${id}`).expect(200);
    expect(device.body.observations).toMatchObject([{ kind: 'disk_encryption', value: 'encrypted' }]);
    await report(id, minutesAgo(1), 'suspended');
    const then = await api.get(`/v1/devices/${id}/encryption`).expect(200);
    expect(then.body).toMatchObject({ state: 'suspended', askedInVain: null });
  });

  it('is nothing where nobody ever looked', async () => {
    const { id } = await aDevice(records.db.manager);
    const { body } = await (await records.caller()).get(`/v1/devices/${id}/encryption`).expect(200);
    expect(body).toMatchObject({ state: 'unknown', answer: null, askedInVain: null });
  });

  it('at an instant that hasn’t come is asked in vain', async () => {
    const { id } = await aDevice(records.db.manager);
    const at = minutesAgo(-60).toISOString();
    const api = await records.caller();
    await api.get(`/v1/devices/${id}/encryption`).query({ at }).expect(400);
    await api.get(`/v1/devices/${id}/encryption`).query({ at: 'yesterday' }).expect(400);
  });
});

describe('old observations', () => {
  const KEPT_DAYS = 400;
  const DAY = 24 * 60;

  /** A row as it was written long ago. */
  const seenLongAgo = (deviceId: string, seen: { observed: number; recorded: number; source: string; value: string }) =>
    records.db.query(
      `INSERT INTO device_observations (id, device_id, kind, value, source, observed_at, recorded_at)
       VALUES (gen_random_uuid(), $1, 'disk_encryption', $2, $3, $4, $5)`,
      [deviceId, seen.value, seen.source, minutesAgo(seen.observed * DAY), minutesAgo(seen.recorded * DAY)],
    );
  const countOf = async (deviceId: string) =>
    (
      await queryRows<{ n: number }>(
        records.db,
        `SELECT count(*)::int AS n FROM device_observations WHERE device_id = $1`,
        [deviceId],
      )
    )[0]?.n;
  /** As if a day had passed. */
  const thin = async (most?: number): Promise<number> => {
    await records.db.query(`UPDATE observation_retention SET next_at = now()`);
    return records.app.get(ThinObservations).thinIfDue(most);
  };

  it('are dropped so that what was known at any time since is the same, and of a time before nothing is pretended', async () => {
    const { id: modelId } = await aDeviceModel(records.db.manager);
    const happening = fc.record({
      observed: fc.integer({ min: 0, max: 900 }),
      late: fc.integer({ min: 0, max: 300 }),
      source: fc.constantFrom('osquery', 'fleet'),
      value: fc.constantFrom('encrypted', 'not_encrypted', 'unknown'),
    });
    const long = fc.array(happening, { minLength: 20, maxLength: 40 });
    const histories = [[], ...fc.sample(long, { numRuns: 8, seed: 5 })];
    const devices = await Promise.all(
      histories.map(async (history) => {
        const { id } = await aDevice(records.db.manager, { modelId, state: 'retired' });
        for (const { late, ...seen } of history) {
          await seenLongAgo(id, { ...seen, recorded: Math.max(0, seen.observed - late) });
        }
        return id;
      }),
    );
    const moments = [0, 1, 50, 120, 200, 300, 399].map((days) => minutesAgo(days * DAY));
    const told = () =>
      Promise.all(
        devices.flatMap((id) =>
          moments.map(async (at) => {
            const { state, answer, inVain } = await knowledge.at(records.db.manager, id, at);
            return [state, answer?.observationId, inVain?.observationId];
          }),
        ),
      );
    const before = await told();
    // However much there is, a few at a time.
    const dropped = await thin(7);
    expect(dropped).toBeGreaterThan(20);
    expect(await told()).toEqual(before);
    const thinned = await queryRows<{ id: string }>(records.db, `SELECT device_id AS id FROM dropped_observations`);
    const longAgo = minutesAgo((KEPT_DAYS + 1) * DAY);
    for (const { id } of thinned) {
      expect(await knowledge.at(records.db.manager, id, longAgo)).toMatchObject({
        state: 'no_longer_kept',
        answer: null,
      });
    }
    const whole = devices.filter((id) => !thinned.some((one) => one.id === id));
    expect(whole.length).toBeGreaterThan(0);
    for (const id of whole) {
      expect((await knowledge.at(records.db.manager, id, longAgo)).state).not.toBe('no_longer_kept');
    }
    const entries = await queryRows<{ n: number }>(
      records.db,
      `SELECT (facts ->> 'observations')::int AS n FROM audit_entries WHERE action = 'observations.dropped'`,
    );
    expect(Math.max(...entries.map(({ n }) => n))).toBe(7);
    expect(entries.reduce((sum, { n }) => sum + n, 0)).toBe(dropped);
    expect(await thin()).toBe(0);
  });

  it('stay when their device was ever lost, or replaced one, and newer ones can’t be deleted', async () => {
    const tx = records.db.manager;
    const retired = () => aDevice(tx, { state: 'retired' });
    const [lost, replacement, other] = [await retired(), await retired(), await retired()];
    const { id: caseId, personId } = await aCase(tx, { kind: 'lost_device', lane: 'emergency', deviceId: lost.id });
    await tx.insert(DeviceReplacement, {
      lossCaseId: caseId,
      lostDeviceId: lost.id,
      personId,
      replacementDeviceId: replacement.id,
      replacedAt: new Date(),
    });
    for (const { id } of [lost, replacement, other]) {
      for (const observed of [700, 600, 500]) {
        await seenLongAgo(id, { observed, recorded: observed, source: 'osquery', value: 'encrypted' });
      }
    }
    expect(await thin()).toBe(2);
    expect([await countOf(lost.id), await countOf(replacement.id), await countOf(other.id)]).toEqual([3, 3, 1]);
    const api = await records.caller();
    const at = minutesAgo(650 * DAY).toISOString();
    const ask = async (id: string) => (await api.get(`/v1/devices/${id}/encryption`).query({ at }).expect(200)).body;
    expect(await ask(lost.id)).toMatchObject({ state: 'encrypted', keptFrom: null });
    expect(await ask(other.id)).toMatchObject({ state: 'no_longer_kept', keptFrom: expect.any(String), answer: null });
    await report(other.id, minutesAgo(1), 'encrypted');
    await expect(records.db.query(`DELETE FROM device_observations WHERE device_id = $1`, [other.id])).rejects.toThrow(
      'never deleted before its time',
    );
    await expect(records.db.query(`UPDATE device_observations SET value = 'unknown'`)).rejects.toThrow('overwritten');
  });
});

describe('/v1/devices/{id}/observations', () => {
  it('take all volumes at once, and show each with its method, protectors and row', async () => {
    const { id } = await aDevice(records.db.manager);
    const api = await records.caller();
    const system = {
      volume: 'C:',
      role: 'system',
      state: 'encrypted',
      method: 'XTS_AES_256',
      percentage: 100,
      protectors: ['tpm_pin', 'recovery_password'],
      raw: { conversion_status: '1' },
    };
    const seen = { kind: 'disk_encryption', source: 'manage-bde', observedAt: minutesAgo(10).toISOString() };
    const data = { volume: 'D:', state: 'suspended' };
    const made = await api
      .post(`/v1/devices/${id}/observations`)
      .send({ ...seen, volumes: [system, data] })
      .expect(201);
    expect(made.body).toMatchObject({ kind: 'disk_encryption', value: 'suspended' });
    const { body } = await api.get(`/v1/devices/${id}/encryption`).expect(200);
    expect(body.state).toBe('suspended');
    expect(body.answer.volumes).toMatchObject([
      { volume: 'C:', method: 'XTS_AES_256', percentage: 100, protectors: ['tpm_pin', 'recovery_password'] },
      { volume: 'D:', role: 'internal', protectors: null },
    ]);
    const history = await api.get(`/v1/devices/${id}/encryption/history`).expect(200);
    expect(history.body.items).toMatchObject([{ volumes: [{ raw: { conversion_status: '1' } }, { raw: {} }] }]);
  });

  it('take `encrypting`, as earlier versions said it, for converting', async () => {
    const { id } = await aDevice(records.db.manager);
    const api = await records.caller();
    const seen = { kind: 'disk_encryption', source: 'agent', observedAt: minutesAgo(1).toISOString() };
    await api
      .post(`/v1/devices/${id}/observations`)
      .send({ ...seen, value: 'encrypting' })
      .expect(201);
    // A row of the version before, which goes on running beside this one for a while.
    const { id: other } = await aDevice(records.db.manager);
    await records.db.query(
      `INSERT INTO device_observations (id, device_id, kind, value, source, observed_at)
       VALUES (gen_random_uuid(), $1, 'disk_encryption', 'encrypting', 'agent', now())`,
      [other],
    );
    for (const device of [id, other]) {
      const { body } = await api.get(`/v1/devices/${device}/encryption`).expect(200);
      expect(body.state).toBe('converting');
      const history = await api.get(`/v1/devices/${device}/encryption/history`).expect(200);
      expect(history.body.items[0].state).toBe('converting');
    }
  });

  it('refuse what says both or neither', async () => {
    const { id } = await aDevice(records.db.manager);
    const api = await records.caller();
    const seen = { kind: 'disk_encryption', source: 'agent', observedAt: minutesAgo(1).toISOString() };
    const see = (more: object) => api.post(`/v1/devices/${id}/observations`).send({ ...seen, ...more });
    await see({}).expect(400);
    await see({ value: 'encrypted', volumes: [{ volume: '/', state: 'encrypted' }] }).expect(400);
    await see({ volumes: [{ volume: '/', state: 'encrypted', percentage: 101 }] }).expect(400);
  });
});

describe('/v1/devices/encryption', () => {
  it('counts devices in use by state and by the age of what is known', async () => {
    const api = await records.caller('devices:read');
    const before = (await api.get('/v1/devices/encryption').expect(200)).body;
    const old = await aDevice(records.db.manager);
    await report(old.id, minutesAgo(60 * 24 * 400), 'not_encrypted');
    const fresh = await aDevice(records.db.manager);
    await report(fresh.id, minutesAgo(2), 'encrypted');
    const retired = await aDevice(records.db.manager, { state: 'retired' });
    await report(retired.id, minutesAgo(2), 'encrypted');
    const { body } = await api.get('/v1/devices/encryption').expect(200);
    expect(body.devices).toBe(before.devices + 2);
    expect(body.oldest).toMatchObject({ deviceId: old.id, state: 'not_encrypted' });
    const agesOf = (overview: { states: { state: string; ages: { devices: number }[] }[] }, state: string): number[] =>
      overview.states.find((one) => one.state === state)?.ages.map(({ devices }) => devices) ?? [];
    const grown = (state: string): number[] =>
      agesOf(body, state).map((devices, index) => devices - (agesOf(before, state)[index] ?? 0));
    expect(grown('not_encrypted')).toEqual([0, 0, 0, 0, 1]);
    expect(grown('encrypted')).toEqual([1, 0, 0, 0, 0]);
    const shares = body.states.map(({ share }: { share: number }) => share);
    expect(shares.reduce((sum: number, share: number) => sum + share, 0)).toBeCloseTo(1);
  });

  it('counts what the list of devices has with the same filter, and leaves nobody out', async () => {
    const api = await records.caller('devices:read');
    for (const days of [3, 10]) {
      const { id } = await aDevice(records.db.manager);
      await report(id, minutesAgo(60 * 24 * days), 'suspended');
    }
    await aDevice(records.db.manager, { state: 'disposed' });
    const overview = (await api.get('/v1/devices/encryption').expect(200)).body;
    const listed = async (filter: string): Promise<number> =>
      (await api.get(`/v1/devices?limit=200&${filter}`).expect(200)).body.items.length;
    for (const { state, devices } of overview.states) expect(await listed(`encryption=${state}`)).toBe(devices);
    const agesOf = ({ ages }: { ages: { devices: number }[] }): number[] => ages.map(({ devices }) => devices);
    const seen = (of: readonly number[]): number =>
      overview.states.reduce(
        (sum: number, state: { ages: { devices: number }[] }) =>
          sum + of.reduce((part, index) => part + (agesOf(state)[index] ?? 0), 0),
        0,
      );
    const counts = [];
    for (const age of ['day', 'week', 'month', 'older', 'never']) counts.push(await listed(`encryptionSeen=${age}`));
    const unknown = overview.states.find(({ state }: { state: string }) => state === 'unknown').devices;
    expect(counts).toEqual([seen([0, 1]), seen([2]), seen([3]), seen([4]), unknown]);
    expect(counts.every((count) => count > 0)).toBe(true);
    await api.get('/v1/devices?encryption=no').expect(400);
  });
});
