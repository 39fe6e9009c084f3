/**
 * Generation and measurement over a loaded model: prefill in chunks, then one forward a token. What an earlier run has
 * left (promptCache.ts) is not run again.
 * Knows the order of events; what a pass is, is forward.ts, and which token is taken, sampling.ts.
 */
import type { EndReason, GenerateEvent, GenerateRequest, GenerateStats, MeasureRequest, PromptToken, SamplingOptions } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { BlockDecoder, decodesInBlocks, type Decoded } from './blockDecoder.ts';
import { Forward, type RowResult } from './forward.ts';
import type { LoadedModel } from './loadedModel.ts';
import { checkPolicy } from './policy.ts';
import { DEFAULT_CANDIDATES, MOST_CANDIDATES, promptToken, settled, tokenEvent } from './prediction.ts';
import type { Transcript } from './promptCache.ts';
import { checkSampling, sample } from './sampling.ts';

export async function* generate(model: LoadedModel, request: GenerateRequest, loadMs: number, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
  const sampling = { ...model.manifest.generation, seed: 0, ...request.sampling };
  checkGenerate(model, request, sampling);
  const prompt = model.promptIds(request.prompt);
  checkLength(model, prompt);
  const transcript = model.promptCache.take(request.policy, prompt, request.forced ?? []);
  try {
    yield* generateWith({ model, request, sampling, prompt, transcript, loadMs, signal });
  } finally {
    model.promptCache.keep(transcript);
  }
}

interface Run {
  readonly model: LoadedModel;
  readonly request: GenerateRequest;
  readonly sampling: SamplingOptions;
  readonly prompt: readonly number[];
  readonly transcript: Transcript;
  readonly loadMs: number;
  readonly signal: AbortSignal | undefined;
}

async function* generateWith({ model, request, sampling, prompt, transcript, loadMs, signal }: Run): AsyncIterable<GenerateEvent> {
  const { manifest, tokenizer } = model;
  const { forward } = transcript;
  const { contextLength } = manifest.architecture;
  const candidates = request.topCandidates ?? DEFAULT_CANDIDATES;
  const started = performance.now();
  // Positions that an earlier run has left; what is told of them is what was told then.
  const { positions: remembered, lastOfPrompt } = transcript.resume(prompt, request.forced ?? []);
  let row: RowResult | null = lastOfPrompt;
  for (const ids of chunks(prompt.slice(remembered), forward.chunkSize('last'))) {
    const rows = await forward.run({ ids, policy: request.policy, track: 'last', signal });
    // Kept without logits, which are larger than everything else of a row.
    transcript.addPrompt(ids, rows);
    row = rows.at(-1) ?? null;
  }
  const described: PromptToken[] = prompt.map((id, position) => promptToken(id, transcript.rowAt(position), tokenizer));
  const prefillMs = performance.now() - started;
  yield { type: 'start', model: model.info, provider: model.session.provider, prompt: described, policy: request.policy, sampling };

  /**
   * Draws the token with this index as it will be drawn, before its logits are final; null where no pass will follow it.
   * Forced tokens are not looked at: a run that goes on from another has the same passes in the same runs, so the same bits.
   */
  const following = (index: number) => (firstLogits: Float32Array): number | null => {
    const position = prompt.length + index;
    if (index + 1 >= request.maxTokens || position + 1 >= contextLength) return null;
    const id = sample(firstLogits, sampling, position);
    return manifest.tokens.eos.includes(id) ? null : id;
  };
  const blocks = model.session.loops && decodesInBlocks(manifest, { policy: request.policy, sampling }) ? new BlockDecoder(forward, manifest, { policy: request.policy, sampling, signal }) : null;
  const forcedTokens = request.forced?.length ?? 0;
  /** What the model says after `id`, the token before the one with this index. */
  const after = async (id: number, index: number): Promise<Omit<Decoded, 'elapsedMs'> & { readonly elapsedMs: number | null }> => {
    if (prompt.length + index <= remembered) return { row: transcript.rowAt(prompt.length + index - 1), elapsedMs: null };
    // A block draws its tokens itself.
    if (blocks !== null && index >= forcedTokens) return blocks.after(id, Math.min(request.maxTokens - index, contextLength - prompt.length - index));
    const before = performance.now();
    const row = required((await forward.run({ ids: [id], policy: request.policy, track: 'last', guess: following(index), signal }))[0]);
    transcript.add(id, row);
    return { row, elapsedMs: performance.now() - before };
  };
  const text = tokenizer?.stream() ?? null;
  const stops = new StopTexts(request.stop ?? []);
  let predicting = required(row);
  let elapsedMs: number | null = null;
  let passes = 0;
  let index = 0;
  let reason: EndReason | null = null;
  const decodeStarted = performance.now();
  while (reason === null) {
    const position = prompt.length + index;
    const id = request.forced?.[index] ?? predicting.chosen?.id ?? sample(required(predicting.finalLogits), sampling, position);
    const isEnd = manifest.tokens.eos.includes(id);
    const end: EndReason | null = isEnd ? 'stop-token' : index + 1 >= request.maxTokens ? 'max-tokens' : position + 1 >= contextLength ? 'context-limit' : null;
    const special = isEnd || (tokenizer?.isSpecial(id) ?? false);
    // A character that the text ends in the middle of must still be said.
    const piece = `${isEnd ? '' : (text?.push(id) ?? '')}${end === null ? '' : (text?.end() ?? '')}`;
    passes += predicting.iterCount;
    const known = settled(predicting, id);
    // Rows of a block are not the transcript's.
    if (blocks === null) transcript.settle(position - 1, known);
    yield { type: 'token', token: tokenEvent({ index, position, id, text: piece, special, elapsedMs }, known, candidates, tokenizer) };
    index++;
    reason = !isEnd && stops.found(piece) ? 'stop-text' : end;
    if (reason === null) ({ row: predicting, elapsedMs } = await after(id, index));
  }
  yield { type: 'end', reason, stats: statistics({ promptTokens: prompt.length, tokens: index, passes, loadMs, prefillMs, decodeMs: performance.now() - decodeStarted }) };
}

/** Teacher-forced: every token of the text is predicted by the row before it; without a prompt, every token but the first. */
export function measure(model: LoadedModel, request: MeasureRequest, loadMs: number, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
  return withForward(model, (forward) => measureWith(forward, model, request, loadMs, signal));
}

async function* withForward(model: LoadedModel, use: (forward: Forward) => AsyncIterable<GenerateEvent>): AsyncIterable<GenerateEvent> {
  const forward = new Forward(model.session, model.manifest);
  try {
    yield* use(forward);
  } finally {
    forward.release();
  }
}

async function* measureWith(forward: Forward, model: LoadedModel, request: MeasureRequest, loadMs: number, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
  const { manifest, tokenizer } = model;
  const { policy } = request;
  checkPolicy(policy, manifest.tah !== null);
  const candidates = checkCandidates(request.topCandidates);
  const { ids, first } = measuredIds(model, request);
  const stream = tokenizer?.stream() ?? null;
  const started = performance.now();
  const prompt: PromptToken[] = [];
  if (request.after === undefined) prompt.push({ position: 0, id: required(ids[0]), text: stream?.push(required(ids[0])) ?? '', iterCount: 0, continueProbability: [] });
  const start = { type: 'start', model: model.info, provider: model.session.provider, prompt, policy, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 } } as const;
  if (request.after === undefined) yield start;
  let passes = 0;
  let index = 0;
  const last = ids.length - 1;
  for (const chunk of chunks(ids.slice(0, last), forward.chunkSize('all'))) {
    const from = forward.position;
    const rows = await forward.run({ ids: chunk, targets: ids.slice(from + 1, from + 1 + chunk.length), policy, track: 'all', signal });
    for (const row of rows) {
      const position = row.position + 1;
      if (request.after !== undefined && row.position < first) prompt.push(promptToken(required(ids[row.position]), row, tokenizer));
      if (position < first) continue;
      if (request.after !== undefined && index === 0) yield start;
      const id = required(ids[position]);
      const special = tokenizer?.isSpecial(id) ?? false;
      const piece = `${stream?.push(id) ?? ''}${position === last ? (stream?.end() ?? '') : ''}`;
      passes += row.iterCount;
      yield { type: 'token', token: tokenEvent({ index, position, id, text: piece, special, elapsedMs: null }, row, candidates, tokenizer) };
      index++;
    }
  }
  const prefillMs = performance.now() - started;
  yield { type: 'end', reason: 'end-of-text', stats: statistics({ promptTokens: first, tokens: index, passes, loadMs, prefillMs, decodeMs: prefillMs }) };
}

/** The ids to read, and the position of the first one that is measured. */
function measuredIds(model: LoadedModel, { text, after }: MeasureRequest): { readonly ids: readonly number[]; readonly first: number } {
  const before = after === undefined ? [] : model.promptIds(after);
  const ids = [...before, ...model.promptIds({ kind: 'text', text })];
  if (ids.length < 2) throw new TahError('input.empty', 'The text is too short to measure: it has fewer than two tokens.', { hint: 'Give a longer text.' });
  const { contextLength } = model.manifest.architecture;
  if (ids.length > contextLength) {
    throw new TahError('engine.context-too-long', `The text has ${ids.length} tokens; this model reads ${contextLength} at most.`, { hint: 'Measure a shorter part of it.' });
  }
  return { ids, first: Math.max(1, before.length) };
}

function checkLength({ manifest }: LoadedModel, prompt: readonly number[]): void {
  const { contextLength } = manifest.architecture;
  if (prompt.length < contextLength) return;
  throw new TahError('engine.context-too-long', `The problem has ${prompt.length} tokens; this model reads ${contextLength - 1} at most.`, { hint: 'Shorten the problem, or choose a model with a longer context.' });
}

function checkGenerate(model: LoadedModel, request: GenerateRequest, sampling: SamplingOptions): void {
  checkSampling(sampling);
  checkPolicy(request.policy, model.manifest.tah !== null);
  checkCandidates(request.topCandidates);
  if (request.policy.kind === 'self-oracle') {
    throw new TahError('engine.bad-request', 'The self-oracle policy needs a given text.', { subject: 'policy', hint: 'Use it with measure.' });
  }
  if (!Number.isInteger(request.maxTokens) || request.maxTokens < 1) {
    throw new TahError('engine.bad-request', `maxTokens must be a whole number of at least 1, not ${request.maxTokens}.`, { subject: 'maxTokens' });
  }
  const { vocabSize } = model.manifest.architecture;
  const strange = request.forced?.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (strange !== undefined) throw new TahError('engine.bad-request', `The model has no token ${strange}.`, { subject: 'forced' });
}

function checkCandidates(count = DEFAULT_CANDIDATES): number {
  if (!Number.isInteger(count) || count < 1 || count > MOST_CANDIDATES) {
    throw new TahError('engine.bad-request', `topCandidates must be a whole number from 1 to ${MOST_CANDIDATES}, not ${count}.`, { subject: 'topCandidates' });
  }
  return count;
}

function statistics(counted: Omit<GenerateStats, 'passesPerToken' | 'tokensPerSecond'>): GenerateStats {
  return { ...counted, passesPerToken: counted.passes / counted.tokens, tokensPerSecond: counted.tokens / Math.max(1e-6, counted.decodeMs / 1000) };
}

/** Finds texts that end a run, also when they are split over tokens. */
class StopTexts {
  private tail = '';
  private readonly longest: number;

  constructor(private readonly texts: readonly string[]) {
    this.longest = Math.max(0, ...texts.map((text) => text.length));
  }

  found(piece: string): boolean {
    if (this.longest === 0) return false;
    const seen = this.tail + piece;
    this.tail = seen.slice(Math.max(0, seen.length - this.longest));
    return this.texts.some((text) => text !== '' && seen.includes(text));
  }
}

function* chunks(ids: readonly number[], size: number): Iterable<readonly number[]> {
  for (let from = 0; from < ids.length; from += size) yield ids.slice(from, from + size);
}

function required<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('a forward returned no result for its last row');
  return value;
}
