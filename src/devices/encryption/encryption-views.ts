import { z } from 'zod';
import type { DeviceObservation } from '../device-observation.entity.js';
import { AGES, type AnswerThen, type KnownThen, type Overview } from './encryption-knowledge.service.js';
import { ENCRYPTION_STATES, PROTECTORS, VOLUME_ROLES } from './encryption-states.js';
import type { JudgedVolume } from './judge-report.js';

const State = z.enum(ENCRYPTION_STATES);

const VolumeView = z.object({
  volume: z.string(),
  role: z.enum(VOLUME_ROLES),
  device: z.string().nullable(),
  state: State,
  claimed: State.nullable().describe('What the agent said, where it isn’t believed.'),
  why: z.string().nullable().describe('Why the state is unknown.'),
  method: z.string().nullable(),
  percentage: z.int().nullable(),
  protectors: z.array(z.enum(PROTECTORS)).nullable().describe('Null: the agent doesn’t tell.'),
});

const Times = {
  observedAt: z.iso.datetime().describe('When it was seen.'),
  recordedAt: z.iso.datetime().describe('When we learned of it.'),
};

const Reporter = { source: z.string(), agent: z.string().nullable(), agentVersion: z.string().nullable() };

const AgeThen = { ageSeconds: z.int().describe('How old it was at the instant that is asked about.') };

export const KnownEncryptionView = z.object({
  deviceId: z.uuid(),
  at: z.iso.datetime(),
  state: z
    .enum([...ENCRYPTION_STATES, 'no_longer_kept'])
    .describe(
      'Of its weakest system or internal volume. `unknown`: nobody ever got an answer until then. `no_longer_kept`: what was known then was dropped, see `keptFrom`.',
    ),
  keptFrom: z.iso
    .datetime()
    .nullable()
    .describe('What was known from then on can still be told, of a time before it no longer. Null: ever since.'),
  answer: z
    .object({ observationId: z.uuid(), ...Reporter, ...Times, ...AgeThen, volumes: z.array(VolumeView) })
    .nullable()
    .describe('The newest answer among all that was recorded by then.'),
  askedInVain: z
    .object({ observationId: z.uuid(), ...Reporter, ...Times, ...AgeThen, why: z.string().nullable() })
    .nullable()
    .describe('Who looked after that and couldn’t tell, last. It takes nothing back, and the answer grows older.'),
});

export const EncryptionReportView = z.object({
  id: z.uuid(),
  state: State,
  why: z.string().nullable(),
  ...Reporter,
  ...Times,
  volumes: z.array(VolumeView.extend({ raw: z.record(z.string(), z.unknown()).nullable() })),
  details: z.record(z.string(), z.unknown()),
});

export const EncryptionOverviewView = z.object({
  at: z.iso.datetime(),
  devices: z.int().describe('In use, and within your reach: not ordered, retired or disposed of.'),
  states: z.array(
    z.object({
      state: State,
      devices: z.int(),
      share: z.number().describe('Of all of them, 0 to 1.'),
      askedInVain: z.int().describe('Somebody looked after the last answer and couldn’t tell.'),
      ages: z
        .array(
          z.object({ youngerThanSeconds: z.int().nullable().describe('Null: older than that.'), devices: z.int() }),
        )
        .describe('How old the knowledge is. Of unknown ones there is none, so nothing is old.'),
    }),
  ),
  oldest: z
    .object({ deviceId: z.uuid(), state: State, observedAt: z.iso.datetime(), ageSeconds: z.int() })
    .nullable()
    .describe('The device of which the newest answer is the oldest.'),
});

export function knownEncryptionView(deviceId: string, known: KnownThen): z.infer<typeof KnownEncryptionView> {
  const { at, state, keptFrom, answer, inVain } = known;
  return {
    deviceId,
    at: at.toISOString(),
    state,
    keptFrom: keptFrom?.toISOString() ?? null,
    answer: answer && { ...seenView(answer), volumes: (answer.volumes ?? []).map(volumeView) },
    askedInVain: inVain && { ...seenView(inVain), why: inVain.why },
  };
}

export function encryptionReportView(seen: DeviceObservation): z.infer<typeof EncryptionReportView> {
  const { id, value, why, source, agent, agentVersion, observedAt, recordedAt, volumes, details } = seen;
  return {
    id,
    state: State.catch('converting').parse(value),
    why,
    source,
    agent,
    agentVersion,
    observedAt: observedAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
    volumes: (volumes ?? []).map((volume) => ({ ...volumeView(volume), raw: { ...volume.raw } })),
    details,
  };
}

export function encryptionOverviewView({ at, cells, oldest }: Overview): z.infer<typeof EncryptionOverviewView> {
  const sum = (some: readonly { devices: number }[]): number => some.reduce((total, { devices }) => total + devices, 0);
  const devices = sum(cells);
  return {
    at: at.toISOString(),
    devices,
    states: ENCRYPTION_STATES.map((state) => {
      const own = cells.filter((cell) => cell.state === state);
      return {
        state,
        devices: sum(own),
        share: devices === 0 ? 0 : sum(own) / devices,
        askedInVain: own.reduce((total, { inVain }) => total + inVain, 0),
        ages: [...AGES, null].map((youngerThanSeconds, index) => ({
          youngerThanSeconds,
          devices: sum(own.filter((cell) => cell.age === index)),
        })),
      };
    }),
    oldest: oldest && { ...oldest, observedAt: oldest.observedAt.toISOString() },
  };
}

function seenView(seen: AnswerThen): Omit<NonNullable<z.infer<typeof KnownEncryptionView>['askedInVain']>, 'why'> {
  const { observationId, source, agent, agentVersion, observedAt, recordedAt, ageSeconds } = seen;
  return {
    observationId,
    source,
    agent,
    agentVersion,
    observedAt: observedAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
    ageSeconds,
  };
}

function volumeView(seen: JudgedVolume): z.infer<typeof VolumeView> {
  const { volume, role, device, state, claimed, why, method, percentage, protectors } = seen;
  return {
    volume,
    role,
    device: device ?? null,
    state,
    claimed: claimed ?? null,
    why: why ?? null,
    method: method ?? null,
    percentage: percentage ?? null,
    protectors: protectors ? [...protectors] : null,
  };
}
