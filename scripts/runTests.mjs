/**
 * `npm test`: all checks, then a few faults and short long runs, then the training at a tiny size, then the package, then the end-to-end tests of that package
 * in a real VS Code, then WebGPU.
 * Says what it does, goes on after a failure, and closes with the line "N passed, N failed": tests, and each step that
 * failed without a failed test to show for it.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, timed } from './processes.mjs';

/** Where the vitest configurations write their reports. */
const reports = join('artifacts', 'reports');

/** @typedef {{ what: string, args: readonly string[], report?: string }} Step `report`: file of the step's test results */

/** @type {readonly Step[]} */
const CHECK = [{ what: 'Types, lint, architecture, unit and golden tests', args: ['run', '-s', 'check'], report: 'unit.json' }];
/** Small counts with a fixed seed; the full ones run nightly. @type {readonly Step[]} */
const FAULTS = [{ what: 'Faults, a few of each', args: ['run', '-s', 'test:faults', '--', '--seed', '1', '--times', '8'], report: 'faults.json' }];
/** @type {readonly Step[]} */
const LONG = [{ what: 'Long runs, short', args: ['run', '-s', 'test:long', '--', '--seed', '1', '--times', '40'], report: 'long.json' }];
/** @type {readonly Step[]} */
const WEBGPU = [{ what: 'WebGPU on a software device', args: ['run', '-s', 'webgpu'], report: 'webgpu.json' }];
/** @type {readonly Step[]} */
const TRAINING = [{ what: 'The training at a tiny size, and its tests', args: ['run', '-s', 'training:smoke'], report: 'training.json' }];
/** @type {readonly Step[]} */
const PACKAGED = [
  { what: 'The package', args: ['run', '-s', 'package'] },
  { what: 'End-to-end tests of the package in a real VS Code', args: ['run', '-s', 'e2e'], report: 'e2e.json' },
];

/**
 * @param {string} file
 * @returns {Promise<{ passed: number, failed: number }>} none when the step ended before it wrote a report
 */
async function counts(file) {
  try {
    /** @type {{ numPassedTests: number, numFailedTests: number }} */
    const report = JSON.parse(await readFile(join(reports, file), 'utf8'));
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  } catch (error) {
    console.log(`There is no readable test report ${file}: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 0 };
  }
}

let passed = 0;
let failed = 0;

/**
 * @param {Step} step
 * @returns {Promise<boolean>} whether all of it passed
 */
async function passes({ what, args, report }) {
  const error = await timed(what, () => run('npm', args, { show: true, env: { TAH_TEST_REPORTS: reports } }).then(() => null, (reason) => reason));
  const tests = report === undefined ? { passed: 0, failed: 0 } : await counts(report);
  passed += tests.passed;
  failed += tests.failed;
  if (error === null) return true;
  console.error(`${what}: failed. ${error instanceof Error ? error.message : String(error)}`);
  if (tests.failed === 0) failed += 1;
  return false;
}

/**
 * Does the steps in order; a step that needs a failed one before it is not tried.
 * @param {readonly Step[]} steps
 */
async function inOrder(steps) {
  for (const step of steps) if (!(await passes(step))) return;
}

await rm(reports, { recursive: true, force: true });
await mkdir(reports, { recursive: true });
await inOrder(CHECK);
await inOrder(FAULTS);
await inOrder(LONG);
await inOrder(TRAINING);
await inOrder(PACKAGED);
await inOrder(WEBGPU);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
