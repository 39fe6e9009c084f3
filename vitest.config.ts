import { defineConfig } from 'vitest/config';

const reports = process.env['TAH_TEST_REPORTS'];

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', ...(reports === undefined ? [] : [['json', { outputFile: `${reports}/unit.json` }] satisfies [string, object]])],
  },
});
