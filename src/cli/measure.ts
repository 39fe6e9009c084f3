/** `tah measure`: what a given text costs, token by token, and the decider against the self-oracle. */
import type { EngineApi, GenerateEvent, OracleVerdict, ProviderChoice, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { firstScore, oracleVerdict, secondThought } from '../protocol/run.ts';
import { localEngine } from './localEngine.ts';
import { resolveModel } from './models.ts';
import { checkSaveTarget, saveRun } from './saveRun.ts';
import type { Terminal } from './terminal.ts';

export interface MeasureOptions {
  readonly model?: string;
  readonly policy: ThinkingPolicy;
  readonly provider: ProviderChoice;
  /** Run file to write. */
  readonly save?: string;
}

export async function measure(text: string, options: MeasureOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (text.trim() === '') throw new TahError('input.empty', 'There is no text to measure.', { hint: 'Give a text, or --file FILE.' });
  checkSaveTarget(options.save);
  const model = await resolveModel(options.model, terminal, signal);
  const { start, tokens, end } = await collect(localEngine(terminal).measure({ model, text, policy: options.policy, provider: options.provider }, signal));
  if (options.save !== undefined) saveRun(options.save, { kind: 'measure', problem: text, answer: null, check: null }, { start, tokens, end });
  const verdicts: Record<OracleVerdict, number> = { 'hard-sent': 0, 'hard-missed': 0, 'easy-sent': 0, 'easy-skipped': 0 };
  for (const token of tokens) verdicts[oracleVerdict(token)]++;
  if (terminal.json) {
    const labelled = tokens.map((token) => ({ ...token, oracle: oracleVerdict(token) }));
    terminal.document({ text, model: start.model, provider: start.provider, policy: start.policy, stats: end.stats, verdicts, tokens: labelled });
    return;
  }
  for (const token of tokens) printToken(token, terminal);
  terminal.print('');
  terminal.print(`${tokens.length} tokens, ${end.stats.passesPerToken.toFixed(2)} passes a token, mean log-probability ${(tokens.reduce((sum, token) => sum + (token.logprob ?? 0), 0) / tokens.length).toFixed(3)}`);
  terminal.print('Decider against self-oracle (hard: the first pass would have chosen another token):');
  for (const [name, count] of Object.entries(verdicts)) terminal.print(`  ${name.padEnd(13)} ${count}`);
}

function printToken(token: TokenEvent, terminal: Terminal): void {
  const sent = token.iterCount > 1;
  const score = firstScore(token);
  const line = [
    String(token.position).padStart(5),
    JSON.stringify(token.text).padEnd(14),
    score === null ? '   -  ' : score.toFixed(3).padStart(6),
    (token.logprob?.toFixed(2) ?? '-').padStart(7),
    oracleVerdict(token).padEnd(13),
    secondThought(token) ?? '',
  ].join(' ');
  terminal.print(sent ? terminal.style('cyan', line) : line);
}

type Start = Extract<GenerateEvent, { type: 'start' }>;
type End = Extract<GenerateEvent, { type: 'end' }>;

/** A whole stream of the engine, once it has ended. */
export async function collect(events: ReturnType<EngineApi['generate']>): Promise<{ start: Start; tokens: TokenEvent[]; end: End }> {
  const tokens: TokenEvent[] = [];
  let start: Start | undefined;
  for await (const event of events) {
    if (event.type === 'start') start = event;
    else if (event.type === 'token') tokens.push(event.token);
    else if (event.type === 'end' && start !== undefined) return { start, tokens, end: event };
  }
  throw new Error('the engine ended without an end event');
}
