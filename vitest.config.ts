import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const reports = process.env['TAH_TEST_REPORTS'];

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // What a test finds out of this machine's providers is not for its user.
    env: { TAH_CACHE_DIR: join(import.meta.dirname, '.cache', 'providers') },
    maxWorkers: 2,
    reporters: ['default', ...(reports === undefined ? [] : [['json', { outputFile: `${reports}/unit.json` }] satisfies [string, object]])],
  },
});
