/**
 * Token events from the chunks of a server that knows no Think-at-Hard. With log-probabilities an event is a token;
 * without, it is a piece of text as it arrived. What is not known stays null. Pure.
 */

import type { Candidate, EndReason, GenerateStats, TokenEvent } from '../protocol/engine.ts';
import { UNKNOWN_ID } from '../protocol/engine.ts';
import type { Chunk, WireLogprob } from './wire.ts';

type Choice = Chunk['choices'][number];

/** Probabilities of 0 and -inf come as null or as a very small number. */
const LEAST_LOGPROB = -9999;

export class PlainAnswer {
  /** What the server has sent beside the text so far. */
  sends: 'text' | 'logprobs' = 'text';
  private count = 0;
  private thinking = false;
  private last: number;
  private readonly started: number;
  private firstAt: number | null = null;

  constructor(private readonly now: () => number) {
    this.started = now();
    this.last = this.started;
  }

  /** True where the chunk says anything: a role alone does not. */
  static speaks(choice: Choice): boolean {
    return contentOf(choice) !== '' || reasoningOf(choice) !== '' || (choice.logprobs?.content ?? []).length > 0 || choice.finish_reason != null;
  }

  read(choice: Choice): TokenEvent[] {
    const entries = choice.logprobs?.content ?? [];
    if (entries.length > 0) this.sends = 'logprobs';
    const text = this.marked(contentOf(choice), reasoningOf(choice));
    if (text === '' && entries.length === 0) return [];
    this.firstAt ??= this.now();
    const elapsed = this.now() - this.last;
    this.last = this.now();
    if (entries.length === 0) return [this.token(text, null, elapsed)];
    const texts = shareText(text, entries);
    return entries.map((entry, i) => this.token(texts[i] ?? '', entry, i === 0 ? elapsed : 0));
  }

  stats(usage: Chunk['usage']): GenerateStats {
    const tokens = usage?.completion_tokens ?? this.count;
    const first = this.firstAt ?? this.now();
    const decodeMs = Math.max(0, this.last - first);
    return { promptTokens: usage?.prompt_tokens ?? 0, tokens, passes: tokens, passesPerToken: 1, loadMs: 0, prefillMs: first - this.started, decodeMs, tokensPerSecond: tokens / Math.max(1e-3, decodeMs / 1000) };
  }

  /** Thinking that the server sends apart is put between the marks that a model writes itself. */
  private marked(content: string, reasoning: string): string {
    let text = '';
    if (reasoning !== '') {
      if (!this.thinking) text += '<think>\n';
      this.thinking = true;
      text += reasoning;
    }
    if (content !== '') {
      if (this.thinking) text += '\n</think>\n\n';
      this.thinking = false;
      text += content;
    }
    return text;
  }

  private token(text: string, entry: WireLogprob | null, elapsedMs: number): TokenEvent {
    const index = this.count++;
    const candidates = (entry?.top_logprobs ?? []).map((one): Candidate => ({ id: UNKNOWN_ID, text: one.token, logprob: one.logprob ?? LEAST_LOGPROB }));
    return {
      index, position: index, id: UNKNOWN_ID, text, iterCount: 1, continueProbability: [],
      before: candidates, after: candidates, logprob: entry?.logprob ?? null, entropyBefore: null, entropyAfter: null, elapsedMs, special: false,
    };
  }
}

/** Null: a reason that is no end of an answer to us. */
export function endReason(choice: Choice): EndReason | null {
  switch (choice.finish_reason) {
    case 'stop':
      return typeof choice.stop_reason === 'string' ? 'stop-text' : 'stop-token';
    case 'length':
      return 'max-tokens';
    case null:
    case undefined:
    default:
      return null;
  }
}

function contentOf(choice: Choice): string {
  return choice.delta?.content ?? '';
}

function reasoningOf(choice: Choice): string {
  return choice.delta?.reasoning_content ?? choice.delta?.reasoning ?? '';
}

/** The chunk's text over its tokens. Where they don't spell it (special tokens, parts of characters), the last one has it all. */
function shareText(text: string, entries: readonly WireLogprob[]): readonly string[] {
  const tokens = entries.map((entry) => entry.token);
  if (tokens.join('') === text) return tokens;
  return tokens.map((_, i) => (i === tokens.length - 1 ? text : ''));
}
