/**
 * What VS Code's Chat sends, as messages that the engine knows; and what it can't read, refused by name. Pure: parts
 * are told apart by their shape, so that this runs without `vscode`.
 */

import type { ChatMessage, SamplingOptions } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';

/** LanguageModelChatRequestMessage, as far as it is read. */
export interface GivenMessage {
  /** 1 user, 2 assistant; 3 is the proposed system role. */
  readonly role: number;
  readonly content: readonly unknown[];
}

/** Marks that other extensions put between parts for the caches of other providers: no content. */
const CACHE_MARK = 'cache_control';

/** @throws TahError engine.bad-request for images and tools, input.empty where nothing is said */
export function readMessages(given: readonly GivenMessage[]): readonly ChatMessage[] {
  const messages = given.map(({ role, content }): ChatMessage => ({ role: roleOf(role), content: content.map(partText).join('') }));
  const said = messages.filter((message) => message.content.trim() !== '');
  if (said.length === 0) throw new TahError('input.empty', 'The chat sent no text.', { hint: 'Type a problem.' });
  return said;
}

function roleOf(role: number): ChatMessage['role'] {
  if (role === 2) return 'assistant';
  return role === 3 ? 'system' : 'user';
}

function partText(part: unknown): string {
  if (typeof part === 'object' && part !== null) {
    if ('value' in part && typeof part.value === 'string') return part.value;
    if ('mimeType' in part && typeof part.mimeType === 'string') {
      if (part.mimeType === CACHE_MARK) return '';
      throw refusal(`This model reads text only; the chat sent data of the type ${part.mimeType.slice(0, 60)}.`, 'Leave images and files out.');
    }
    if ('callId' in part) throw refusal('This model calls no tools, and the chat sent the call or the result of one.', 'Start a new chat, or choose a model that calls tools.');
  }
  throw refusal('The chat sent a part that is not known here.', 'Send text only.');
}

function refusal(message: string, hint: string): TahError {
  return new TahError('engine.bad-request', message, { hint, subject: 'messages' });
}

export interface ModelOptions {
  readonly sampling: Partial<SamplingOptions>;
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
}

/** Options by OpenAI's names, to the engine's. */
const SAMPLING: Readonly<Record<string, keyof SamplingOptions>> = { temperature: 'temperature', top_p: 'topP', top_k: 'topK', min_p: 'minP', seed: 'seed' };

/** What an extension asks for beside its messages. @throws TahError engine.bad-request for what is unknown */
export function readModelOptions(options: Readonly<Record<string, unknown>> = {}): ModelOptions {
  const sampling: { -readonly [Key in keyof SamplingOptions]?: number } = {};
  let maxTokens: number | null = null;
  let stop: readonly string[] = [];
  for (const [name, value] of Object.entries(options)) {
    // Undefined is left out; a name with an underscore is VS Code's own business.
    if (value === undefined || name.startsWith('_')) continue;
    const field = Object.hasOwn(SAMPLING, name) ? SAMPLING[name] : undefined;
    if (field !== undefined && typeof value === 'number') sampling[field] = value;
    else if ((name === 'max_tokens' || name === 'max_completion_tokens') && typeof value === 'number' && Number.isInteger(value) && value > 0) maxTokens = value;
    else if (name === 'stop') stop = readStop(value);
    else throw new TahError('engine.bad-request', `The model option ${name.slice(0, 60)} is unknown, or its value can't be.`, { subject: name, hint: `Known are ${Object.keys(SAMPLING).join(', ')}, max_tokens and stop.` });
  }
  return { sampling, maxTokens, stop };
}

function readStop(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const strings = texts.filter((text) => typeof text === 'string' && text !== '') as string[];
  if (strings.length !== texts.length) throw new TahError('engine.bad-request', 'The model option stop must be a text, or a list of texts.', { subject: 'stop' });
  return strings;
}
