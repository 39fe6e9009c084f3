import { defineConfig } from 'vitest/config';

const reports = process.env['TAH_TEST_REPORTS'];

// One VS Code and one browser at a time; test/e2e/setUp.ts gets both and the package before the first test.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/setUp.ts'],
    fileParallelism: false,
    pool: 'forks',
    reporters: ['verbose', ...(reports === undefined ? [] : [['json', { outputFile: `${reports}/e2e.json` }] satisfies [string, object]])],
    testTimeout: 600_000,
    hookTimeout: 400_000,
  },
});
