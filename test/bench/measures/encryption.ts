import type { BenchContext, Measure } from '../measure.js';
import type { Bound, Row } from '../row.js';
import { fleetDeviceId, seedFleet } from '../seeds/seed-fleet.js';
import { seeding } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { TimedReader } from '../stage/timed-reader.js';
import { percentile, spreadOf } from '../statistics.js';

const DEVICES = 100_000;
const OBSERVATIONS = 100;
const BLOCKS = 4;
const HOUR = 3_600_000;

/** What is known of the disks of a whole fleet, and what was known of one of them at some instant. */
export const encryption: Measure = {
  name: 'encryption',
  async run({ stage, smoke, say }: BenchContext): Promise<Row[]> {
    const fleet = smoke ? { devices: 2_000, observations: 10 } : { devices: DEVICES, observations: OBSERVATIONS };
    const [overviews, moments] = smoke ? [5, 25] : [50, 500];
    const database = await stage.database();
    const service = await BenchService.start(stage, {
      database,
      tools: 1,
      latency: 0,
      seed: async () => {
        const since = performance.now();
        await seeding(database.pool, (db) => seedFleet(db, fleet));
        say(`        seeded in ${Math.round((performance.now() - since) / 1000)} s`);
      },
    });
    const reader = new TimedReader(service);
    try {
      const blocksOf = async (count: number, path: (index: number) => string): Promise<number[][]> => {
        for (let warm = 0; warm < count / 10; warm += 1) await reader.get(path(warm));
        const blocks: number[][] = [];
        for (let block = 0; block < BLOCKS; block += 1) {
          const took: number[] = [];
          for (let index = 0; index < count; index += 1) took.push((await reader.get(path(block * count + index))).ms);
          blocks.push(took);
        }
        return blocks;
      };
      const overview = await blocksOf(overviews, () => '/v1/devices/encryption');
      // Steps through devices and times that share no factor with how many there are: never the same page twice in a row.
      const known = await blocksOf(moments, (index) => {
        const id = fleetDeviceId(1 + ((index * 7_919) % fleet.devices));
        const at = new Date(Date.now() - 1 - ((index * 31) % fleet.observations) * HOUR);
        return `/v1/devices/${id}/encryption?at=${at.toISOString()}`;
      });
      const rows = fleet.devices * fleet.observations;
      const row = (what: string, blocks: number[][], bound: Bound): Row => ({
        name: `${fleet.devices.toLocaleString('en')} devices × ${fleet.observations} observations: ${what} over REST, p95`,
        figure: percentile(blocks.flat(), 0.95),
        unit: 'ms',
        bound,
        aim: null,
        spread: spreadOf(blocks.map((block) => percentile(block, 0.95))),
        samples: blocks.flat().length,
        notes: [
          `p50 ${percentile(blocks.flat(), 0.5).toFixed(1)} ms, slowest ${Math.max(...blocks.flat()).toFixed(0)} ms`,
        ],
        ...(rows < DEVICES * OBSERVATIONS && { short: `of ${rows.toLocaleString('en')} observations only` }),
      });
      return [
        row('the fleet’s encryption', overview, { most: 100 }),
        row('one device’s at an instant', known, { most: 10 }),
      ];
    } finally {
      reader.close();
      await service.stop();
      await database.drop();
    }
  },
};
