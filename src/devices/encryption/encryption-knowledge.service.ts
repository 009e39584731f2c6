import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { Problem } from '../../platform/errors/problem.js';
import { keepWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { DeviceObservation } from '../device-observation.entity.js';
import { Device } from '../device.entity.js';
import { DeviceEncryption } from './device-encryption.entity.js';
import { NOT_THERE } from './encryption-filter.js';
import type { EncryptionState } from './encryption-states.js';
import type { JudgedVolume } from './judge-report.js';

/** An observation that answered, or one that didn't, as old as it was at the instant that is asked about. */
export interface AnswerThen {
  observationId: string;
  /** As it stands in the log; rows of earlier versions say `encrypting`. */
  value: EncryptionState | 'encrypting';
  source: string;
  agent: string | null;
  agentVersion: string | null;
  why: string | null;
  volumes: JudgedVolume[] | null;
  observedAt: Date;
  recordedAt: Date;
  ageSeconds: number;
}

/** What was known of a device's disks at an instant. */
export interface KnownThen {
  at: Date;
  /** No longer kept: something was known or not, and the observations that would tell are dropped. */
  state: EncryptionState | 'no_longer_kept';
  /** Since when all that was known can still be told; null: ever since. */
  keptFrom: Date | null;
  /** Null: nobody had ever got an answer. */
  answer: AnswerThen | null;
  /** Who looked after that and couldn't tell, last. */
  inVain: AnswerThen | null;
}

/** Devices of one state, of which that was seen within one span of time. */
export interface OverviewCell {
  state: EncryptionState;
  /** Index into `AGES`; as large as `AGES` is long: older than all of them; null: never seen. */
  age: number | null;
  devices: number;
  /** Of these, somebody looked since then and couldn't tell. */
  inVain: number;
}

export interface Overview {
  at: Date;
  cells: OverviewCell[];
  /** Of whom the knowledge is oldest; null: of nobody is anything known. */
  oldest: { deviceId: string; state: EncryptionState; observedAt: Date; ageSeconds: number } | null;
}

/** Seconds: knowledge is younger than an hour, a day, a week, a month, or older. */
export const AGES = [3_600, 86_400, 604_800, 2_592_000] as const;

/** SQL: the index into `AGES`. Comparing instants costs half of what making numbers of them does. */
const AGE = `CASE WHEN known.observed_at IS NULL THEN NULL
  ${AGES.map((age, index) => `WHEN known.observed_at > now() - interval '${age} seconds' THEN ${index}`).join(' ')}
  ELSE ${AGES.length} END`;

/** SQL: whole seconds from one instant to another, as far as an integer goes. */
const seconds = (from: string, until: string): string =>
  `LEAST(2147483647, GREATEST(0, floor(extract(epoch FROM ${until} - ${from}))))::int`;
const AGE_NOW = seconds('known.observed_at', 'now()');

/** Answers from the log of observations: what is known of disks, and what was known of them at any time. */
@Injectable()
export class EncryptionKnowledge {
  /**
   * What we knew at an instant: of all that was *recorded* by then, the newest that had been *observed* and answered.
   * What came in later doesn't count, however old it was.
   *
   * @param at null: now
   * @throws Problem `not-found` for an unknown device, `invalid-request` for an instant that hasn't come
   */
  async at(tx: EntityManager, deviceId: string, at: Date | null): Promise<KnownThen> {
    const [row] = await queryRows<KnownRow>(tx, prepared(KNOWN_AT), [deviceId, at]);
    if (!row) throw new Problem('not-found', 'There is no device with this id.');
    if (row.future) {
      const detail = 'Nobody knows yet what will be known then. Ask about an instant that has passed.';
      throw new Problem('invalid-request', detail, [{ pointer: '/query/at', detail }]);
    }
    const { at: then, keptFrom } = row;
    if (keptFrom !== null && then < keptFrom) {
      return { at: then, state: 'no_longer_kept', keptFrom, answer: null, inVain: null };
    }
    const [answer, inVain] = [answerIn(row, 'answer'), answerIn(row, 'vain')];
    const value = answer?.value ?? 'unknown';
    return { at: then, state: value === 'encrypting' ? 'converting' : value, keptFrom, answer, inVain };
  }

  /** Every report that there was, newest record first. */
  async history(
    tx: EntityManager,
    deviceId: string,
    page: { after: string | null; limit: number },
  ): Promise<DeviceObservation[]> {
    const query = tx
      .createQueryBuilder(DeviceObservation, 'seen')
      .where(`seen.device_id = :deviceId AND seen.kind = 'disk_encryption'`, { deviceId })
      .orderBy('seen.id', 'DESC')
      .limit(page.limit);
    if (page.after) query.andWhere('seen.id < :after', { after: page.after });
    return query.getMany();
  }

  /** Of all devices that the actor reaches and that are in use. */
  async overview(tx: EntityManager, actor: Actor): Promise<Overview> {
    const devices = tx
      .createQueryBuilder(Device, 'device')
      .leftJoin(DeviceEncryption, 'known', 'known.device_id = device.id')
      .where(`device.state NOT IN ${NOT_THERE}`);
    keepWithin(devices, actor, 'device');
    const cells = await devices
      .clone()
      .select(`COALESCE(known.state, 'unknown')`, 'state')
      .addSelect(AGE, 'age')
      .addSelect('count(*)::int', 'devices')
      .addSelect(`(count(*) FILTER (WHERE known.in_vain_at > COALESCE(known.observed_at, '-infinity')))::int`, 'inVain')
      .addSelect('now()', 'at')
      .groupBy('1')
      .addGroupBy('2')
      .getRawMany<OverviewCell & { at: Date }>();
    const oldest = await devices
      .clone()
      .select('device.id', 'deviceId')
      .addSelect('known.state', 'state')
      .addSelect('known.observed_at', 'observedAt')
      .addSelect(AGE_NOW, 'ageSeconds')
      .andWhere('known.observed_at IS NOT NULL')
      .orderBy('known.observedAt')
      .limit(1)
      .getRawOne<NonNullable<Overview['oldest']>>();
    return { at: cells[0]?.at ?? new Date(), cells, oldest: oldest ?? null };
  }
}

/** By the names of `AnswerThen`; the age is added. */
const COLUMNS = {
  observationId: 'id',
  value: 'value',
  source: 'source',
  agent: 'agent',
  agentVersion: 'agent_version',
  why: 'why',
  volumes: 'volumes',
  observedAt: 'observed_at',
  recordedAt: 'recorded_at',
} as const;

type KnownRow = { at: Date; future: boolean; keptFrom: Date | null } & Record<
  `${'answer' | 'vain'}.${keyof AnswerThen}`,
  unknown
>;

const shown = (alias: string): string =>
  [
    ...Object.entries(COLUMNS).map(([name, column]) => `${alias}.${column} AS "${alias}.${name}"`),
    `${seconds(`${alias}.observed_at`, 'd.at')} AS "${alias}.ageSeconds"`,
  ].join(', ');

/** Nothing is observed more than five minutes after it is recorded: so far and no further the index has to be walked. */
const newest = (which: string): string =>
  `SELECT ${Object.values(COLUMNS).join(', ')} FROM device_observations
   WHERE device_id = d.id AND kind = 'disk_encryption' AND ${which} AND recorded_at <= d.at
     AND observed_at <= d.at + interval '5 minutes' ORDER BY observed_at DESC, id DESC LIMIT 1`;

/** One round trip. A minute for whoever asks about now by a clock of their own. */
const KNOWN_AT = `
  SELECT d.at, d.at > now() + interval '1 minute' AS future, dropped.kept_from AS "keptFrom", ${shown('answer')}, ${shown('vain')}
  FROM (SELECT id, COALESCE($2::timestamptz, now()) AS at FROM devices WHERE id = $1) d
  LEFT JOIN dropped_observations dropped ON dropped.device_id = d.id
  LEFT JOIN LATERAL (${newest(`value <> 'unknown'`)}) answer ON true
  LEFT JOIN LATERAL (${newest(`value = 'unknown' AND (answer.id IS NULL OR observed_at > answer.observed_at)`)}) vain ON true`;

function answerIn(row: KnownRow, alias: 'answer' | 'vain'): AnswerThen | null {
  if (row[`${alias}.observationId`] === null) return null;
  const names = [...Object.keys(COLUMNS), 'ageSeconds'] as (keyof AnswerThen)[];
  return Object.fromEntries(names.map((name) => [name, row[`${alias}.${name}`]])) as unknown as AnswerThen;
}
