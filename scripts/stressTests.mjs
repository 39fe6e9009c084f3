/**
 * `npm run test:faults` and `npm run test:long`: bundles the programs of test/faults or test/long together with the
 * real engine process, runs the main of them in a folder of its own, and removes that folder. Options of the command
 * (`--seed`, `--times`, `--only`) are the main's; its exit code is this one's.
 */
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [kind, ...options] = process.argv.slice(2);
if (kind !== 'faults' && kind !== 'long') throw new Error('usage: stressTests.mjs faults|long [options]');

const root = resolve('.cache', 'stress');
mkdirSync(root, { recursive: true });
// Within the repository: the bundles look for ONNX Runtime in its node_modules.
const work = mkdtempSync(join(root, `${kind}-`));
try {
  process.exitCode = await runMain(kind);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @param {'faults' | 'long'} name @returns {Promise<number>} exit code of the main */
async function runMain(name) {
  const programs = join('test', 'faults', 'programs');
  const ours = name === 'faults' ? readdirSync(programs).map((file) => join(programs, file)) : [];
  await build({
    entryPoints: [join('test', name, 'main.ts'), ...ours, 'src/engineProcess.ts', 'src/providerProbe.ts', 'src/checkWorker.ts'],
    entryNames: '[name]',
    outdir: join(work, 'dist'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'onnxruntime-node'],
    outExtension: { '.js': '.cjs' },
    logLevel: 'error',
    define: { 'import.meta.url': '__bundleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  const child = spawn(process.execPath, ['--expose-gc', join(work, 'dist', 'main.cjs'), ...options], {
    stdio: 'inherit',
    env: { ...process.env, TAH_STRESS_WORK: work, TAH_CACHE_DIR: join(work, 'cache') },
  });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
