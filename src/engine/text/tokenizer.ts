/**
 * Text to token ids and back, and the model's chat format.
 * Knows: encoding is the library's (checked against the Rust tokenizers' recorded results); decoding goes through the
 * bytes of tokens, so that a stream of tokens and a list of them give the same text. Knows no model and no logits.
 * `clean_up_tokenization_spaces` is never applied: the text is what the model wrote, byte for byte.
 */

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import type { ChatMessage } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';
import { compileChatTemplate, type ChatTemplate } from './chatTemplate.ts';
import { runWithin } from './timeBox.ts';
import { showBytes, tokenBytes } from './tokenBytes.ts';
import { badTokenizer, readTokenizerFiles, TOKENIZER_FILE, type TokenizerFiles } from './tokenizerFiles.ts';
import { createTokenStream, type TokenStream } from './tokenStream.ts';

export type { TokenStream } from './tokenStream.ts';

export interface ChatOptions {
  /** Left out: the template's own default (Qwen3: thinking on). */
  readonly enableThinking?: boolean;
  /** Open the assistant's turn at the end. Default true. */
  readonly addGenerationPrompt?: boolean;
}

export interface Tokenizer {
  /**
   * As the Rust tokenizers' `encode(text, add_special_tokens=False)`: special tokens in the text count as such.
   * @throws TahError checkpoint.bad-tokenizer where the tokenizer's own patterns take for ever
   */
  encode(text: string): number[];
  /** @throws TahError model.no-tokenizer without a chat template; engine.bad-request, checkpoint.bad-tokenizer as ChatTemplate.render */
  renderChat(messages: readonly ChatMessage[], options?: ChatOptions): string;
  /** The token's own text for lists: bytes that are no whole character as `<0xNN>`, an added token by its content. */
  display(id: number): string;
  /** As the vocabulary spells it (`Ġthe`); undefined where there is no such token. */
  token(id: number): string | undefined;
  isSpecial(id: number): boolean;
  /** Lossy UTF-8 (U+FFFD). Ids without a token have no text. `skipSpecial` leaves special tokens out; default false. */
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string;
  /** A new stream; special tokens have no text in it: its concatenation is decode(ids, { skipSpecial: true }). */
  stream(): TokenStream;
  /** Largest token id + 1. The model's logits may have more entries; those ids have no token. */
  readonly vocabSize: number;
}

const NO_BYTES = new Uint8Array(0);
const LOAD_LIMIT_MS = 60_000;
const ENCODE_LIMIT_MS = 3_000;
/** On top, for long texts: ten times slower than measured on a slow machine. */
const ENCODE_MS_PER_CHARACTER = 0.05;

/**
 * Reads tokenizer.json, tokenizer_config.json and chat_template.jinja of a model folder.
 * @throws TahError model.no-tokenizer, checkpoint.bad-json, checkpoint.unreadable, checkpoint.bad-tokenizer
 */
export function loadTokenizer(dir: string): Tokenizer {
  const files = readTokenizerFiles(dir);
  return new FolderTokenizer(dir, files, openLibrary(join(dir, TOKENIZER_FILE), files));
}

function openLibrary(file: string, files: TokenizerFiles): LibraryTokenizer {
  try {
    return runWithin(
      LOAD_LIMIT_MS,
      () => new LibraryTokenizer(files.json, files.config),
      () => new Error('it takes too long to load'),
    );
  } catch (error) {
    throw badTokenizer(file, 'content', error instanceof Error ? error.message : String(error), error);
  }
}

class FolderTokenizer implements Tokenizer {
  readonly vocabSize: number;
  private readonly file: string;
  private readonly bytes = new Map<number, Uint8Array>();
  private readonly added: ReadonlyMap<number, { readonly content: string; readonly special: boolean }>;
  private template: ChatTemplate | undefined;

  constructor(
    private readonly dir: string,
    private readonly files: TokenizerFiles,
    private readonly library: LibraryTokenizer,
  ) {
    this.file = join(dir, TOKENIZER_FILE);
    this.added = new Map(files.addedTokens.map((token) => [token.id, token]));
    let largest = -1;
    for (const id of library.get_vocab().values()) largest = Math.max(largest, id);
    this.vocabSize = largest + 1;
  }

  encode(text: string): number[] {
    const limit = Math.ceil(ENCODE_LIMIT_MS + ENCODE_MS_PER_CHARACTER * text.length);
    const { ids } = runWithin(
      limit,
      () => this.library.encode(text, { add_special_tokens: false }),
      () => badTokenizer(this.file, 'pre_tokenizer', `splitting a text of ${text.length} characters takes longer than ${Math.round(limit / 1000)} seconds`),
    );
    // The library's types promise numbers; a vocabulary without the needed tokens gives undefined.
    if (!ids.every((id) => Number.isInteger(id))) throw badTokenizer(this.file, 'model.vocab', 'it has no token for a part of the text');
    return ids;
  }

  renderChat(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    this.template ??= compileChatTemplate(this.templateSource(), `The chat template of ${this.dir}`);
    return this.template.render({
      ...this.files.specialTokens,
      messages: messages.map(({ role, content }) => ({ role, content })),
      tools: null,
      documents: null,
      add_generation_prompt: options.addGenerationPrompt ?? true,
      ...(options.enableThinking === undefined ? {} : { enable_thinking: options.enableThinking }),
    });
  }

  display(id: number): string {
    const added = this.added.get(id);
    if (added !== undefined) return added.content;
    return this.library.id_to_token(id) === undefined ? `<no token ${id}>` : showBytes(this.bytesOf(id));
  }

  token(id: number): string | undefined {
    return this.library.id_to_token(id);
  }

  isSpecial(id: number): boolean {
    return this.added.get(id)?.special ?? false;
  }

  decode(ids: readonly number[], options: { readonly skipSpecial?: boolean } = {}): string {
    const stream = this.open(options.skipSpecial ?? false);
    let text = '';
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  stream(): TokenStream {
    return this.open(true);
  }

  private open(skipSpecial: boolean): TokenStream {
    const { alphabet } = this.files;
    const bytesOf = (id: number): Uint8Array => (skipSpecial && this.isSpecial(id) ? NO_BYTES : this.bytesOf(id));
    return createTokenStream(bytesOf, alphabet.kind === 'byte-fallback' ? alphabet.strip : 0);
  }

  private bytesOf(id: number): Uint8Array {
    const known = this.bytes.get(id);
    if (known !== undefined) return known;
    const added = this.added.get(id);
    const token = this.library.id_to_token(id);
    if (token === undefined) return NO_BYTES;
    const bytes = added === undefined ? tokenBytes(token, this.files.alphabet) : new TextEncoder().encode(added.content);
    this.bytes.set(id, bytes);
    return bytes;
  }

  private templateSource(): string {
    const { chatTemplates } = this.files;
    const only = chatTemplates.size === 1 ? [...chatTemplates.values()][0] : undefined;
    const source = chatTemplates.get('default') ?? only;
    if (source !== undefined) return source;
    const names = [...chatTemplates.keys()].join(', ');
    const reason = names === '' ? 'has no chat template' : `has chat templates (${names}) but none named "default"`;
    throw new TahError('model.no-tokenizer', `The model in ${this.dir} ${reason}, so a conversation cannot be put to it.`, {
      hint: 'Give the prompt as plain text, or put the chat_template.jinja of the original model into the folder.',
      file: this.dir,
      subject: 'chat_template',
    });
  }
}
