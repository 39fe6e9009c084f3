/** A model folder that is open for inference: manifest, session, tokenizer. Whoever loads one closes it. */
import path from 'node:path';
import type { ModelInfo, Prompt, ProviderChoice } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import { openModelFolder } from './modelFolder.ts';
import { openSession, type Session } from './session.ts';
import { loadTokenizer, type Tokenizer } from './text/tokenizer.ts';

/** Parameters below which a pass is so short that handing it to several threads costs more than it saves. */
const SMALL_MODEL = 16e6;

export class LoadedModel {
  private constructor(
    readonly info: ModelInfo,
    readonly manifest: ModelManifest,
    readonly session: Session,
    readonly tokenizer: Tokenizer | null,
    /** What the caller asked for: another choice needs another session. */
    readonly choice: ProviderChoice,
  ) {}

  /** @throws TahError model.*, engine.provider-unavailable, engine.out-of-memory */
  static async open(folder: string, choice: ProviderChoice): Promise<LoadedModel> {
    const { manifest, info, graphFile } = openModelFolder(folder);
    const tokenizer = manifest.hasTokenizer ? loadTokenizer(path.dirname(graphFile)) : null;
    const session = await openSession(graphFile, { provider: choice, threads: info.parameters < SMALL_MODEL ? 1 : 0 });
    return new LoadedModel(info, manifest, session, tokenizer, choice);
  }

  /** @throws TahError model.no-tokenizer, input.empty, engine.bad-request */
  promptIds(prompt: Prompt): readonly number[] {
    const ids = this.encode(prompt);
    if (ids.length === 0) throw new TahError('input.empty', 'The text is empty.', { hint: 'Type or select a problem.' });
    const strange = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.manifest.architecture.vocabSize);
    if (strange !== undefined) throw new TahError('engine.bad-request', `The model has no token ${strange}.`, { subject: 'prompt' });
    return ids;
  }

  private encode(prompt: Prompt): readonly number[] {
    if (prompt.kind === 'tokens') return prompt.ids;
    if (this.tokenizer === null) {
      throw new TahError('model.no-tokenizer', `The model ${this.info.name} has no tokenizer, so it can't read text.`, { file: this.info.path, hint: 'Import a checkpoint that has tokenizer.json.' });
    }
    switch (prompt.kind) {
      case 'text':
        return this.tokenizer.encode(prompt.text);
      case 'chat': {
        const rendered = this.tokenizer.renderChat(prompt.messages, prompt.enableThinking === undefined ? {} : { enableThinking: prompt.enableThinking });
        return this.tokenizer.encode(rendered);
      }
      default:
        return prompt satisfies never;
    }
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
