import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const reports = process.env['TAH_TEST_REPORTS'];

// WebGPU without a graphics card: test/webgpu/setUp.ts finds or installs a Vulkan device made of software.
export default defineConfig({
  test: {
    include: ['test/webgpu/**/*.test.ts'],
    globalSetup: ['test/webgpu/setUp.ts'],
    fileParallelism: false,
    pool: 'forks',
    env: { TAH_CACHE_DIR: join(import.meta.dirname, '.cache', 'providers') },
    reporters: ['verbose', ...(reports === undefined ? [] : [['json', { outputFile: `${reports}/webgpu.json` }] satisfies [string, object]])],
    // Software computes a pass in a second where other programs want the processor too.
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
