import { globSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';
import { APART, SHARE_A_PROCESS } from './test/support/specs-apart.js';

const shared = {
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 120_000,
  teardownTimeout: 30_000,
  restoreMocks: true,
  // A forgotten `.only` must not make a green run.
  allowOnly: !process.env['CI'],
} as const;

export default defineConfig({
  test: {
    globalSetup: 'test/support/servers.ts',
    // Real servers and real processes share the cores with the tests.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: 'apart',
          include: ['{src,connectors,migrations,scripts,test,ui}/**/*.spec.ts'],
          exclude: [...configDefaults.exclude, ...sharing()],
        },
      },
      {
        test: {
          ...shared,
          name: 'together',
          include: SHARE_A_PROCESS,
          exclude: [...configDefaults.exclude, ...APART],
          isolate: false,
        },
      },
    ],
  },
});

/** A pattern can't take anything out of an exclusion again, so the files themselves are named. */
function sharing(): string[] {
  return globSync(SHARE_A_PROCESS, { exclude: APART });
}
