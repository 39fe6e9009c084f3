/**
 * `npm run training:smoke`: the training, all of it, at a size at which nothing is learned. Every stage; then what the
 * exported checkpoint computes in PyTorch, compared by `tah verify` with the engine; then the tests of training/tests.
 * Closes with the line "N passed, N failed", and leaves the counts in TAH_TEST_REPORTS, where `npm test` reads them.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, timed } from './processes.mjs';
import { setUpTraining } from './setupTraining.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const training = join(root, 'training');
const recipe = join(training, 'tests', 'smoke.yaml');
const cli = join(root, 'dist', 'cli.cjs');

let passed = 0;
let failed = 0;

/**
 * One step, which counts as a test.
 * @param {string} what
 * @param {() => Promise<unknown>} step
 * @returns {Promise<boolean>} whether it passed
 */
async function passes(what, step) {
  try {
    await timed(what, step);
    passed += 1;
    return true;
  } catch (error) {
    failed += 1;
    console.error(`${what}: failed. ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/**
 * What a run of pytest counted, from its report.
 * @param {string} file JUnit XML
 * @throws {Error} where pytest ended before it wrote one
 */
async function pytestCounts(file) {
  const suite = /<testsuite [^>]*>/.exec(await readFile(file, 'utf8'))?.[0] ?? '';
  const number = (/** @type {string} */ name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? NaN);
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map(number);
  const bad = (failures ?? NaN) + (errors ?? NaN);
  const good = (tests ?? NaN) - bad - (skipped ?? NaN);
  if (!Number.isFinite(good) || good + bad === 0) throw new Error(`${file} counts no tests: ${suite}`);
  return { good, bad };
}

/**
 * @param {string} python
 * @param {string} work a folder to work in
 */
async function smoke(python, work) {
  const folder = join(work, 'run');
  const vectors = join(work, 'vectors');
  const env = {
    // Waiting threads must sleep; there is no hub to ask for anything.
    OMP_WAIT_POLICY: 'passive',
    GOMP_SPINCOUNT: '0',
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const train = (/** @type {readonly string[]} */ args) => run(python, ['-m', 'tah_training', ...args, '--config', recipe, '--run-dir', folder], { cwd: training, env });
  const trained =
    (await passes('All stages of the training at a tiny size', () => train(['all']))) && (await passes('What the checkpoint computes in PyTorch', () => train(['vectors', '--out', vectors])));
  if (trained) {
    await passes("The engine's import and verification of the checkpoint", async () => {
      await run(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet'], { cwd: root });
      await run(process.execPath, [cli, 'verify', vectors]);
      await run(process.execPath, [cli, 'import', join(folder, 'checkpoint'), '--out', join(work, 'model')]);
    });
  }
  const report = join(work, 'pytest.xml');
  const error = await timed("The training's own tests", () =>
    run(python, ['-m', 'pytest', '-q', '--durations=5', `--junitxml=${report}`, 'tests'], { cwd: training, env: { ...env, ...(trained ? { TAH_SMOKE_RUN: folder } : {}) }, show: true }).then(
      () => null,
      (reason) => reason,
    ),
  );
  const counted = await pytestCounts(report).catch((reason) => {
    console.error(String(error ?? reason));
    return { good: 0, bad: 1 };
  });
  passed += counted.good;
  // An end with an error but without a failed test: of pytest itself.
  failed += counted.bad + (error !== null && counted.bad === 0 ? 1 : 0);
}

const work = await mkdtemp(join(tmpdir(), 'tah-training-'));
try {
  /** @type {string | null} */
  let python = null;
  if (await passes('A Python that can train', async () => (python = await setUpTraining()))) await smoke(python ?? '', work);
} finally {
  await rm(work, { recursive: true, force: true });
}
const reports = process.env['TAH_TEST_REPORTS'];
if (reports !== undefined) {
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, 'training.json'), `${JSON.stringify({ numPassedTests: passed, numFailedTests: failed })}\n`);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
