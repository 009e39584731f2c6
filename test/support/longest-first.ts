import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { cloneFolder } from '../../scripts/embedded/places.js';

/** Those that take more than ten seconds, the longest first. Most of them wait most of the time: others run meanwhile. */
const LONG = [
  'test/engine/killed-workers-with-redis.spec.ts',
  'test/engine/urgent-first.spec.ts',
  'test/engine/killed-workers-without-redis.spec.ts',
  'test/engine/frozen-workers.spec.ts',
  'test/faults/short.spec.ts',
  'connectors/ssh-gateway/ssh-gateway.spec.ts',
  'test/compose.spec.ts',
  'test/telemetry/worker-metrics.spec.ts',
  'test/ui/story.spec.ts',
  'test/engine/main-job.spec.ts',
  'connectors/rabbitmq/rabbitmq.spec.ts',
  'scripts/supervisor.spec.ts',
  'test/model/planted-bugs.spec.ts',
  'connectors/postgres/postgres.spec.ts',
  'test/model/random-histories.spec.ts',
  'test/engine/busy-chores.spec.ts',
  'test/simulation/seeds.spec.ts',
];

/**
 * Starts the files that take long first, so that none is left at the end, when nothing else is to be done beside it. By
 * itself vitest goes by how long each took the last time, and in a fresh clone by its size: two of the longest are five
 * lines long.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.indexOf(relative(cloneFolder(), moduleId));
      return at < 0 ? LONG.length : at;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own, of no array
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
