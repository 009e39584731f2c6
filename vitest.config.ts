import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

export default defineConfig({
  test: {
    include: ['{src,connectors,migrations,scripts,test,ui}/**/*.spec.ts'],
    globalSetup: 'test/support/servers.ts',
    // A process per file: what a test leaves in globals or kills stays in its own file.
    pool: 'forks',
    // Real servers and real processes share the cores with the tests.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    restoreMocks: true,
    // A forgotten `.only` must not make a green run.
    allowOnly: !process.env['CI'],
  },
});
