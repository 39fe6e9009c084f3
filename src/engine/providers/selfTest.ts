/**
 * The self-test of a provider: what the bundled model is fed, what it must answer, and how far an answer may be off.
 * The numbers come from the CPU provider, which the golden vectors of the reference implementation hold. Teacher-forced:
 * every token is given, so that one wrong number shows where it is and spoils nothing after it. Reads a file; runs nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { TahError } from '../../protocol/errors.ts';
import { MANIFEST_FILE, SELF_TEST_FILE, type Quantization } from '../../protocol/manifest.ts';

export const SELF_TEST_FORMAT = 'tah-selftest/1';

/** Candidates of a step that are compared. */
export const COMPARED = 5;

const step = z.object({
  /** Token that the step is fed; the first step is fed the whole prompt. */
  token: z.number().int().nullable(),
  iterCount: z.number().int().positive(),
  /** Decider's score after each pass at which it was asked. */
  probabilities: z.array(z.number()),
  /** The best of the cumulative logits after the last pass. */
  ids: z.array(z.number().int()).min(1),
  values: z.array(z.number()).min(1),
});

const SELF_TEST = z.object({
  format: z.literal(SELF_TEST_FORMAT),
  prompt: z.array(z.number().int().nonnegative()).min(1),
  /** Largest absolute difference of a logit and of a decider score. */
  tolerance: z.object({ logits: z.number().positive(), probability: z.number().positive() }),
  /** Threshold that the passes were decided with. */
  threshold: z.number(),
  steps: z.array(step).min(1),
});

export type SelfTest = z.infer<typeof SELF_TEST>;
export type SelfTestStep = z.infer<typeof step>;

/** A TF32 product of a graphics card is off by some 1e-2 here; a kernel that is wrong by units. Quantised activations differ more. */
export function toleranceFor(quantization: Quantization): SelfTest['tolerance'] {
  return quantization === 'fp32' ? { logits: 0.05, probability: 0.02 } : { logits: 0.5, probability: 0.1 };
}

/** The first model folder in `folder` that has a self-test, or null. */
export function findSelfTest(folder: string): string | null {
  if (!fs.existsSync(folder)) return null;
  const models = fs.readdirSync(folder).sort().map((name) => path.join(folder, name));
  return models.find((model) => fs.existsSync(path.join(model, SELF_TEST_FILE)) && fs.existsSync(path.join(model, MANIFEST_FILE))) ?? null;
}

/** The self-test of a model folder, or null where it has none. @throws TahError model.corrupted */
export function readSelfTest(folder: string): SelfTest | null {
  const file = path.join(folder, SELF_TEST_FILE);
  if (!fs.existsSync(file)) return null;
  try {
    return SELF_TEST.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch (error) {
    throw new TahError('model.corrupted', `${file} is no self-test.`, { file, hint: 'Import the model again.', cause: error });
  }
}

/**
 * What is wrong with the answers, in one sentence, or null. A decision may differ only where the score is as near to
 * the threshold as scores may be off; the numbers of that step are then of another number of passes and are skipped.
 */
export function faultOf(test: SelfTest, answers: readonly SelfTestStep[]): string | null {
  if (answers.length !== test.steps.length) return `it answered ${answers.length} of ${test.steps.length} steps`;
  for (const [index, expected] of test.steps.entries()) {
    const fault = faultOfStep(test, expected, answers[index]);
    if (fault !== null) return `step ${index + 1} of ${test.steps.length}: ${fault}`;
  }
  return null;
}

function faultOfStep({ tolerance, threshold }: SelfTest, expected: SelfTestStep, answer: SelfTestStep | undefined): string | null {
  if (answer === undefined) return 'there is no answer';
  for (const [i, score] of answer.probabilities.slice(0, expected.probabilities.length).entries()) {
    const difference = Math.abs(score - (expected.probabilities[i] ?? NaN));
    if (!(difference <= tolerance.probability)) return `the decider's score is ${shown(score)} instead of ${shown(expected.probabilities[i])}`;
  }
  if (answer.iterCount !== expected.iterCount) {
    const near = expected.probabilities.some((score) => Math.abs(score - threshold) <= tolerance.probability);
    return near ? null : `it took ${answer.iterCount} passes instead of ${expected.iterCount}`;
  }
  const values = new Map(answer.ids.map((id, i) => [id, answer.values[i] ?? NaN]));
  const lowest = answer.values.at(-1) ?? NaN;
  for (const [i, id] of expected.ids.entries()) {
    const theirs = expected.values[i] ?? NaN;
    // A candidate that fell off the end of the list is at most as good as the last one on it.
    const ours = values.get(id) ?? Math.min(lowest, theirs);
    const difference = Math.abs(ours - theirs);
    if (!(difference <= tolerance.logits)) return `the logit of token ${id} is ${shown(ours)} instead of ${shown(theirs)}`;
  }
  const best = answer.values[0] ?? NaN;
  if (!(best - (expected.values[0] ?? NaN) <= tolerance.logits)) return `token ${answer.ids[0] ?? '-'} has a logit of ${shown(best)} before all others`;
  return null;
}

function shown(value: number | undefined): string {
  return value === undefined ? 'nothing' : value.toFixed(3);
}
