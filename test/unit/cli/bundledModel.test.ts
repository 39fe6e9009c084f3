/** What README promises of a fresh clone: the bundled checkpoint is imported on first use and solves problems. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../../..');
const MODEL = path.join(ROOT, 'models/tah-math-small');
const exec = promisify(execFile);
let clone: string;

beforeAll(async () => {
  // A folder like a clone's: dist/ with the bundles, models/ beside it.
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  clone = fs.mkdtempSync(path.join(ROOT, '.cache/clone-test-'));
  fs.symlinkSync(path.join(ROOT, 'models'), path.join(clone, 'models'), 'junction');
  await exec(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet', '--outdir', path.join(clone, 'dist')], { cwd: ROOT });
});
afterAll(() => {
  fs.rmSync(clone, { recursive: true, force: true });
});

interface Solved {
  readonly text: string;
  readonly answer: string | null;
  readonly check: { readonly state: string; readonly reason: string };
  readonly tokens: readonly { readonly iterCount: number }[];
}

async function tah(...args: string[]): Promise<unknown> {
  const { stdout } = await exec(process.execPath, [path.join(clone, 'dist/cli.cjs'), ...args, '--json'], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

describe('the bundled model', () => {
  it('is imported on first use, solves an equation, and computer algebra verifies the answer', async () => {
    const solved = (await tah('solve', 'Solve 3x + 5 = 20 for x')) as Solved;
    expect(solved).toMatchObject({ answer: 'x = 5', check: { state: 'verified' }, endReason: 'stop-token' });
    expect(solved.tokens.some((token) => token.iterCount === 2)).toBe(true);
    expect(fs.existsSync(path.join(clone, 'dist/models/tah-math-small/manifest.json'))).toBe(true);
  });

  it('is imported again when the imported folder is damaged', async () => {
    fs.rmSync(path.join(clone, 'dist/models/tah-math-small/manifest.json'));
    expect(((await tah('solve', '12 + 7')) as Solved).answer).toBe('19');
  });

  it('refuses what it has not learned with the sentence of its card, without a box', async () => {
    const { refusal } = JSON.parse(fs.readFileSync(path.join(MODEL, 'checkpoint/subjects.json'), 'utf8')) as { refusal: string };
    const solved = (await tah('solve', 'Who was Napoleon?')) as Solved;
    expect([solved.text.trim(), solved.answer]).toEqual([refusal, null]);
  });

  it('says what it can do before it tries what it cannot, and an answer there is verified only by computer algebra', async () => {
    interface Judged { readonly scope: { readonly state: string; readonly reason?: { readonly kind: string }; readonly subjects?: readonly unknown[] } | null; readonly check: { readonly state: string } }
    const outside = (await tah('solve', 'Janet’s ducks lay 16 eggs per day. She eats three for breakfast and sells the rest for $2 each at the market. How much does she earn?')) as Judged;
    expect(outside.scope).toMatchObject({ state: 'outside' });
    expect(outside.scope?.subjects?.length).toBeGreaterThan(10);
    expect(outside.check.state).not.toBe('verified');
    const inside = (await tah('solve', 'Solve 3x + 5 = 20 for x')) as Judged;
    expect(inside.scope).toEqual({ state: 'inside' });
    const { stdout } = await exec(process.execPath, [path.join(clone, 'dist/cli.cjs'), 'solve', 'What is the determinant of 5?']);
    expect(stdout).toMatch(/outside of what the model has learned: it does not know determinant/);
    expect(stdout).toMatch(/It can do: Sums/);
  });

  it('solves at least three in four of a sample over all its families, and shows no wrong answer as verified', async () => {
    const card = (await tah('eval', path.join(MODEL, 'heldout.jsonl'), '--limit', '51')) as { total: { accuracy: number; problems: number }; wrongButVerified: number; shareSent: number };
    expect(card.total.problems).toBe(51);
    expect(card.total.accuracy).toBeGreaterThan(0.75);
    expect(card.wrongButVerified).toBe(0);
    expect(card.shareSent).toBeGreaterThan(0);
  }, 240_000);

  it('has a scorecard of exactly these held-out problems: nine in ten right, no family below three in four, nothing wrong shown as verified', () => {
    interface Card {
      readonly complete: boolean;
      readonly wrongButVerified: number;
      readonly total: { readonly problems: number; readonly accuracy: number };
      readonly families: readonly { readonly family: string; readonly problems: number; readonly accuracy: number }[];
    }
    const { policies } = JSON.parse(fs.readFileSync(path.join(MODEL, 'scorecard.json'), 'utf8')) as { policies: Record<string, Card> };
    const lines = fs.readFileSync(path.join(MODEL, 'heldout.jsonl'), 'utf8').trim().split('\n');
    const { decider, ...compared } = policies;
    expect([decider?.complete, decider?.total.problems]).toEqual([true, lines.length]);
    expect(decider?.total.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(decider?.families.filter((family) => family.accuracy < 0.75 || family.problems < 500)).toEqual([]);
    expect(Object.keys(compared).sort()).toEqual(['always', 'decider, compared', 'never']);
    for (const card of Object.values(policies)) expect([card.complete, card.wrongButVerified]).toEqual([true, 0]);
  });
});
