/**
 * Runs a self-test on an open session and times a model's decoding. Knows Forward and the steps; knows no process and
 * no verdict.
 */
import { Forward, type RowResult } from '../forward.ts';
import type { Session } from '../session.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import { COMPARED, type SelfTest, type SelfTestStep } from './selfTest.ts';

/** Tokens that are timed, and the time after which enough are. */
const TIMED_TOKENS = 32;
const TIMED_MS = 3000;
/** Untimed before them: shaders are compiled, memory is mapped. */
const WARM_TOKENS = 3;
const PROMPT_TOKENS = 16;

/** @param prompt ids @param tokens fed one by one after it */
export async function replaySteps(session: Session, manifest: ModelManifest, prompt: readonly number[], tokens: readonly number[]): Promise<SelfTestStep[]> {
  const forward = new Forward(session, manifest);
  const steps: SelfTestStep[] = [];
  for (const token of [null, ...tokens]) {
    const rows = await forward.run({ ids: token === null ? prompt : [token], policy: { kind: 'decider' }, track: 'last' });
    steps.push(stepOf(token, rows.at(-1)));
  }
  return steps;
}

/** The steps of a self-test as this session answers them. */
export function replaySelfTest(session: Session, manifest: ModelManifest, test: SelfTest): Promise<SelfTestStep[]> {
  return replaySteps(session, manifest, test.prompt, test.steps.flatMap(({ token }) => token ?? []));
}

function stepOf(token: number | null, row: RowResult | undefined): SelfTestStep {
  if (row?.finalTop == null) throw new Error('a forward returned no candidates for its last row');
  return { token, iterCount: row.iterCount, probabilities: [...row.probabilities], ids: row.finalTop.ids.slice(0, COMPARED), values: Array.from(row.finalTop.values.subarray(0, COMPARED)) };
}

/** Tokens a second of plain decoding after a short prompt; ids don't matter for time. */
export async function tokensPerSecond(session: Session, manifest: ModelManifest): Promise<number> {
  const id = (index: number): number => index % manifest.architecture.vocabSize;
  const forward = new Forward(session, manifest);
  const room = manifest.architecture.contextLength - 1;
  await forward.run({ ids: Array.from({ length: Math.min(PROMPT_TOKENS, room) }, (_, i) => id(i)), policy: { kind: 'never' }, track: 'last' });
  const decode = (index: number): Promise<unknown> => forward.run({ ids: [id(index)], policy: { kind: 'never' }, track: 'last' });
  for (let i = 0; i < WARM_TOKENS; i++) await decode(i);
  const started = performance.now();
  let tokens = 0;
  while (tokens < TIMED_TOKENS && performance.now() - started < TIMED_MS && forward.position < manifest.architecture.contextLength) await decode(tokens++);
  return (1000 * tokens) / Math.max(1e-3, performance.now() - started);
}
