/**
 * Runs a self-test on an open session and times a model's decoding. Knows Forward and the steps; knows no process and
 * no verdict.
 */
import { Forward, type RowResult } from '../forward.ts';
import type { Session } from '../session.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import { Pace } from './pace.ts';
import { COMPARED, type SelfTest, type SelfTestStep } from './selfTest.ts';

/** Tokens that are timed, and the time after which enough are. */
const TIMED_TOKENS = 32;
const TIMED_MS = 3000;
/** Untimed before them: shaders are compiled, memory is mapped. */
const WARM_TOKENS = 3;
const PROMPT_TOKENS = 16;

/** @param prompt ids @param tokens fed one by one after it @throws TooSlow by `pace` */
export async function replaySteps(session: Session, manifest: ModelManifest, prompt: readonly number[], tokens: readonly number[], pace = new Pace()): Promise<SelfTestStep[]> {
  const forward = new Forward(session, manifest);
  const run = (ids: readonly number[]): Promise<readonly RowResult[]> => forward.run({ ids, policy: { kind: 'decider' }, track: 'last' });
  const steps = [stepOf(null, await pace.prompt(() => run(prompt)))];
  for (const token of tokens) steps.push(stepOf(token, await pace.token(() => run([token]))));
  return steps;
}

/** The steps of a self-test as this session answers them. @throws TooSlow by `pace` */
export function replaySelfTest(session: Session, manifest: ModelManifest, test: SelfTest, pace?: Pace): Promise<SelfTestStep[]> {
  return replaySteps(session, manifest, test.prompt, test.steps.flatMap(({ token }) => token ?? []), pace);
}

function stepOf(token: number | null, rows: readonly RowResult[]): SelfTestStep {
  const row = rows.at(-1);
  if (row?.finalTop == null) throw new Error('a forward returned no candidates for its last row');
  return { token, iterCount: row.iterCount, probabilities: [...row.probabilities], ids: row.finalTop.ids.slice(0, COMPARED), values: Array.from(row.finalTop.values.subarray(0, COMPARED)) };
}

/** Tokens a second of plain decoding after a short prompt; ids don't matter for time. @throws TooSlow by `pace` */
export async function tokensPerSecond(session: Session, manifest: ModelManifest, pace: Pace): Promise<number> {
  const id = (index: number): number => index % manifest.architecture.vocabSize;
  const forward = new Forward(session, manifest);
  const room = manifest.architecture.contextLength - 1;
  const run = (ids: readonly number[]): Promise<unknown> => forward.run({ ids, policy: { kind: 'never' }, track: 'last' });
  const decode = (index: number): Promise<unknown> => pace.token(() => run([id(index)]));
  await pace.prompt(() => run(Array.from({ length: Math.min(PROMPT_TOKENS, room) }, (_, i) => id(i))));
  for (let i = 0; i < WARM_TOKENS; i++) await decode(i);
  const started = performance.now();
  let tokens = 0;
  while (tokens < TIMED_TOKENS && performance.now() - started < TIMED_MS && forward.position < manifest.architecture.contextLength) await decode(tokens++);
  return (1000 * tokens) / Math.max(1e-3, performance.now() - started);
}
