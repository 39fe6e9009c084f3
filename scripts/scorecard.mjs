/**
 * `npm run scorecard`: the bundled model's scores on its held-out problems, through the TypeScript engine, for each
 * thinking policy. Writes models/<id>/scorecard.json; every number in it and in the model's card comes from here.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MODEL = 'tah-math-small';
const folder = join('models', MODEL);
/** @type {{ refusal: string }} */
const { refusal } = JSON.parse(readFileSync(join(folder, 'checkpoint', 'subjects.json'), 'utf8'));

execFileSync(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet'], { stdio: 'inherit' });
/** @type {Record<string, unknown>} */
const policies = {};
for (const policy of ['never', 'decider', 'always']) {
  const args = ['dist/cli.cjs', 'eval', join(folder, 'heldout.jsonl'), '--policy', policy, '--refusal', refusal, '--json'];
  policies[policy] = JSON.parse(execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28, encoding: 'utf8' }));
}
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const scorecard = { model: MODEL, command: 'npm run scorecard', commit, heldout: 'heldout.jsonl', sampling: 'greedy', policies };
writeFileSync(join(folder, 'scorecard.json'), `${JSON.stringify(scorecard, null, 2)}\n`);
console.log(`${join(folder, 'scorecard.json')}: ${Object.entries(policies).map(([name, card]) => `${name} ${(100 * /** @type {{ total: { accuracy: number } }} */ (card).total.accuracy).toFixed(1)} %`).join(', ')}`);
