/**
 * `tah bench`: what the second passes cost on this machine, as ratios of things measured in the same run. The policies
 * take turns in every round, so that a machine that slows down slows all of them.
 */
import type { EngineApi, ProviderChoice, ThinkingPolicy } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { localEngine } from './localEngine.ts';
import { collect } from './measure.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';

export interface BenchOptions {
  readonly model?: string;
  readonly rounds: number;
  readonly tokens: number;
  readonly provider: ProviderChoice;
}

interface Sample {
  readonly decodeMs: number;
  readonly prefillMs: number;
  readonly passesPerToken: number;
}

interface Measured {
  readonly policy: string;
  readonly decodeMsPerToken: Spread;
  readonly prefillMsPerToken: Spread;
  readonly passesPerToken: number;
  /** Decode time against "never" in the same round. */
  readonly ratio: Spread;
}

interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const POLICIES: Readonly<Record<string, ThinkingPolicy>> = { never: { kind: 'never' }, decider: { kind: 'decider' }, always: { kind: 'always' } };
/** Ids of the prompt: any will do, time does not depend on them. */
const PROMPT_TOKENS = 64;

export async function bench(options: BenchOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const model = await resolveModel(options.model, terminal, signal);
  const engine = localEngine(terminal);
  const { model: info, provider } = await engine.load(model, options.provider);
  if (info.contextLength !== null && PROMPT_TOKENS + options.tokens > info.contextLength) {
    throw new TahError('input.bad-option', `${PROMPT_TOKENS} prompt tokens and ${options.tokens} more don't fit into the model's context of ${info.contextLength}.`, {
      subject: '--tokens',
      hint: `Give at most --tokens ${info.contextLength - PROMPT_TOKENS}.`,
    });
  }
  const policies = Object.entries(POLICIES).filter(([name]) => name === 'never' || info.maxIter > 1);
  const samples = new Map<string, Sample[]>(policies.map(([name]) => [name, []]));
  const progress = terminal.progress();
  for (let round = -1; round < options.rounds; round++) {
    for (const [name, policy] of policies) {
      progress.show(`Round ${Math.max(0, round) + 1} of ${options.rounds}: ${name}`);
      const sample = await once(engine, model, policy, options, signal);
      // Round -1 warms up.
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  progress.done();
  const plain = samples.get('never') ?? [];
  const rows = policies.map(([name]) => summarise(name, samples.get(name) ?? [], plain));
  if (terminal.json) {
    terminal.document({ model: info, provider, rounds: options.rounds, tokens: options.tokens, promptTokens: PROMPT_TOKENS, policies: rows });
    return;
  }
  terminal.print(`${info.name} (${info.quantization}) on ${provider.provider}, ${options.rounds} rounds of ${options.tokens} tokens after a prompt of ${PROMPT_TOKENS}`);
  terminal.print(`${'policy'.padEnd(10)} ${'decode ms/token'.padStart(22)} ${'prefill ms/token'.padStart(22)} ${'passes/token'.padStart(13)} ${'decode against never'.padStart(24)}`);
  for (const row of rows) {
    terminal.print(`${row.policy.padEnd(10)} ${spread(row.decodeMsPerToken).padStart(22)} ${spread(row.prefillMsPerToken).padStart(22)} ${row.passesPerToken.toFixed(3).padStart(13)} ${spread(row.ratio).padStart(24)}`);
  }
}

async function once(engine: EngineApi, model: string, policy: ThinkingPolicy, options: BenchOptions, signal: AbortSignal): Promise<Sample> {
  const ids = Array.from({ length: PROMPT_TOKENS }, (_, i) => 3 + i);
  // Forced tokens: the run goes on where it would have stopped, and every policy decodes the same text.
  const forced = Array.from({ length: options.tokens }, (_, i) => 10 + (i % 40));
  const request = { model, prompt: { kind: 'tokens', ids }, policy, maxTokens: options.tokens, forced, provider: options.provider } as const;
  const { end } = await collect(engine.generate(request, signal));
  const { stats } = end;
  return { decodeMs: stats.decodeMs / stats.tokens, prefillMs: stats.prefillMs / stats.promptTokens, passesPerToken: stats.passesPerToken };
}

function summarise(policy: string, samples: readonly Sample[], plain: readonly Sample[]): Measured {
  return {
    policy,
    decodeMsPerToken: spreadOf(samples.map((sample) => sample.decodeMs)),
    prefillMsPerToken: spreadOf(samples.map((sample) => sample.prefillMs)),
    passesPerToken: samples[0]?.passesPerToken ?? NaN,
    ratio: spreadOf(samples.map((sample, i) => sample.decodeMs / (plain[i]?.decodeMs ?? NaN))),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? NaN, low: sorted[0] ?? NaN, high: sorted.at(-1) ?? NaN };
}

function spread({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
}
