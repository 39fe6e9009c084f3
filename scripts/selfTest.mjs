/**
 * `npm run self-test`: writes checkpoint/selftest.json of the bundled model, what its providers must answer. To be run
 * when the model has changed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODEL = 'tah-math-small';
const folder = join('models', MODEL);
const checkpoint = join(folder, 'checkpoint');
const importFile = join(folder, 'import.json');
/** @type {{ quantization?: string }} */
const { quantization = 'fp32' } = existsSync(importFile) ? JSON.parse(readFileSync(importFile, 'utf8')) : {};

/** @param {readonly string[]} args */
function tah(...args) {
  execFileSync(process.execPath, ['dist/cli.cjs', ...args], { stdio: 'inherit' });
}

execFileSync(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet'], { stdio: 'inherit' });
const work = mkdtempSync(join(tmpdir(), 'tah-self-test-'));
try {
  tah('import', checkpoint, '--out', join(work, MODEL), '--quantization', quantization);
  tah('record-self-test', '--model', join(work, MODEL), '--checkpoint', checkpoint);
} finally {
  rmSync(work, { recursive: true });
}
