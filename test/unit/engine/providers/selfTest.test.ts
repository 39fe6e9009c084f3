/** What counts as a wrong answer in a self-test, and that the bundled model's numbers are those of its weights. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../../src/engine/modelFolder.ts';
import { openModelSession } from '../../../../src/engine/modelSession.ts';
import { replaySelfTest } from '../../../../src/engine/providers/replay.ts';
import { faultOf, readSelfTest, type SelfTest, type SelfTestStep } from '../../../../src/engine/providers/selfTest.ts';
import { importCheckpoint } from '../../../../src/importer/importer.ts';

const STEP: SelfTestStep = { token: null, iterCount: 1, probabilities: [0.3], ids: [7, 3, 9], values: [10, 4, 2] };
const TEST: SelfTest = { format: 'tah-selftest/1', prompt: [1], tolerance: { logits: 0.05, probability: 0.02 }, threshold: 0.5, steps: [STEP, { ...STEP, token: 7 }] };

const answer = (changes: Partial<SelfTestStep>): SelfTestStep[] => [STEP, { ...STEP, token: 7, ...changes }];

describe('a self-test', () => {
  it('holds for the same numbers, and for numbers within the tolerance', () => {
    expect(faultOf(TEST, answer({}))).toBeNull();
    expect(faultOf(TEST, answer({ values: [10.04, 3.96, 2], probabilities: [0.315] }))).toBeNull();
  });

  it.each([
    ['a logit that is off', { values: [10, 4.06, 2] }, /step 2 of 2: the logit of token 3 is 4\.060 instead of 4\.000/],
    ['a logit that is no number', { values: [NaN, 4, 2] }, /the logit of token 7 is NaN/],
    ['a score that is off', { probabilities: [0.33] }, /the decider's score is 0\.330 instead of 0\.300/],
    ['a score that is no number', { probabilities: [NaN] }, /the decider's score is NaN/],
    ['another number of passes', { iterCount: 2 }, /it took 2 passes instead of 1/],
  ] as const)('finds %s', (_, changes, expected) => {
    expect(String(faultOf(TEST, answer(changes as Partial<SelfTestStep>)))).toMatch(expected);
  });

  it('finds a token that has taken the first place', () => {
    expect(faultOf(TEST, answer({ ids: [5, 7, 3], values: [11, 10, 4] }))).toMatch(/token 5/);
  });

  it('finds steps that are missing', () => {
    expect(faultOf(TEST, [STEP])).toBe('it answered 1 of 2 steps');
  });

  it('lets a decision differ only where the score is at the threshold', () => {
    const near: SelfTest = { ...TEST, steps: [{ ...STEP, probabilities: [0.49] }] };
    expect(faultOf(near, [{ ...STEP, probabilities: [0.505], iterCount: 2, values: [1, 2, 3] }])).toBeNull();
    expect(faultOf(near, [{ ...STEP, probabilities: [0.52], iterCount: 2 }])).toMatch(/score/);
  });
});

describe('the self-test of the bundled model', () => {
  it('is what the CPU answers with the weights that are shipped (else run: npm run self-test)', async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-bundled-'));
    const models = path.join(import.meta.dirname, '../../../../models');
    const [id] = fs.readdirSync(models);
    const source = path.join(models, id ?? '');
    const importFile = path.join(source, 'import.json');
    const { quantization = 'fp32' } = (fs.existsSync(importFile) ? JSON.parse(fs.readFileSync(importFile, 'utf8')) : {}) as { quantization?: 'fp32' | 'int8' | 'int4' };
    try {
      const out = path.join(root, 'model');
      for await (const event of importCheckpoint({ checkpoint: path.join(source, 'checkpoint'), out, quantization }, {})) if (event.type === 'done') expect(event.out).toBe(out);
      const test = readSelfTest(out);
      if (test === null) throw new Error('the bundled checkpoint has no selftest.json');
      expect(test.steps.some(({ iterCount }) => iterCount > 1)).toBe(true);
      const opened = openModelFolder(out);
      const session = await openModelSession(opened, { provider: 'cpu', reason: 'test', rejected: [] });
      expect(faultOf({ ...test, tolerance: { logits: 2e-3, probability: 1e-3 } }, await replaySelfTest(session, opened.manifest, test))).toBeNull();
      await session.close();
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  });
});
