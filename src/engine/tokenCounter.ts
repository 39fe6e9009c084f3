/**
 * Counts the tokens of a prompt without loading weights: the tokenizer of the model that was asked for last is kept.
 * Knows model folders and tokenizers, no session.
 */
import path from 'node:path';
import type { CountRequest, LocalModelInfo } from '../protocol/engine.ts';
import { encodePrompt } from './loadedModel.ts';
import { openModelFolder } from './modelFolder.ts';
import { loadTokenizer, type Tokenizer } from './text/tokenizer.ts';

export interface TokenizerOfModel {
  readonly info: LocalModelInfo;
  readonly tokenizer: Tokenizer | null;
}

export class TokenCounter {
  private last: TokenizerOfModel | null = null;

  /** @param loaded the model that the engine holds: its tokenizer is taken where it is the wanted one */
  count({ model, prompt }: CountRequest, loaded: TokenizerOfModel | null): number {
    return encodePrompt(prompt, ...this.tokenizerOf(path.resolve(model), loaded)).length;
  }

  forget(): void {
    this.last = null;
  }

  private tokenizerOf(folder: string, loaded: TokenizerOfModel | null): [LocalModelInfo, Tokenizer | null] {
    const known = [loaded, this.last].find((one) => one?.info.path === folder);
    if (known !== null && known !== undefined) return [known.info, known.tokenizer];
    const { info, manifest } = openModelFolder(folder);
    this.last = { info, tokenizer: manifest.hasTokenizer ? loadTokenizer(folder) : null };
    return [this.last.info, this.last.tokenizer];
  }
}
