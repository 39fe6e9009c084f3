/**
 * `npm run scorecard`: the bundled model's scores, through the program's own engine: on its held-out problems with each
 * thinking policy, its decider token by token on worked solutions, and what it does with questions from outside of its
 * subjects. Writes models/<id>/scorecard.json; every number in it and in the model's card comes from here.
 * Stopped, it goes on where it was: what is done lies in .cache/scorecard, by commit.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MODEL = 'tah-math-small';
const OUTSIDE = join('test', 'fixtures', 'gsm8k', 'sample.jsonl');
/** So many of the held-out problems, spread over all families, for the policies that are compared. */
const COMPARED = '2550';
const folder = join('models', MODEL);
const heldout = join(folder, 'heldout.jsonl');
const subjects = join(folder, 'checkpoint', 'subjects.json');
const output = join(folder, 'scorecard.json');

/** @typedef {{ total: { accuracy: number } }} Card */

/**
 * @param {readonly string[]} args
 * @returns {any} what the command says with --json
 */
function tah(...args) {
  console.log(`tah ${args.join(' ')}`);
  return JSON.parse(execFileSync(process.execPath, ['dist/cli.cjs', ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28, encoding: 'utf8' }));
}

const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
execFileSync(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet'], { stdio: 'inherit' });
/** @type {{ refusal: string }} */
const { refusal } = JSON.parse(readFileSync(subjects, 'utf8'));
/** @type {Record<string, Card>} */
const policies = {};
// All of the held-out problems for the policy that users get; an even part of them to compare it with.
for (const [policy, ...limit] of [['decider'], ['never', '--limit', COMPARED], ['always', '--limit', COMPARED], ['decider', '--limit', COMPARED]]) {
  const name = limit.length > 0 && policy === 'decider' ? 'decider, compared' : String(policy);
  policies[name] = tah('eval', heldout, '--policy', String(policy), ...limit, '--refusal', refusal, '--resume', join('.cache', 'scorecard', commit, `${policy}.jsonl`));
}
const decider = tah('eval', heldout, '--decider');
const { questions, outside, share, interval } = tah('scope', OUTSIDE);
/** @type {{ recipe: { seed: number } }} */
const { recipe } = JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8'));
const scorecard = { model: MODEL, command: 'npm run scorecard', commit, seed: recipe.seed, heldout: 'heldout.jsonl', sampling: 'greedy', policies, decider, outside: { from: OUTSIDE.replaceAll('\\', '/'), questions, caught: outside, share, interval } };
writeFileSync(output, `${JSON.stringify(scorecard, null, 2)}\n`);
console.log(`${output}: ${Object.entries(policies).map(([name, card]) => `${name} ${(100 * card.total.accuracy).toFixed(1)} %`).join(', ')}`);
