/** A model folder that is open for inference: manifest, session, tokenizer. Whoever loads one closes it. */
import path from 'node:path';
import type { LocalModelInfo, Prompt, ProviderChoice } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import { openModelFolder, verifyUnlessKnown, type ModelFolder } from './modelFolder.ts';
import { openModelSession } from './modelSession.ts';
import { PromptCache } from './promptCache.ts';
import { chooseUntested, type ChooseProvider } from './providers/choose.ts';
import type { LocalProviderInfo, Session } from './session.ts';
import { loadTokenizer, type Tokenizer } from './text/tokenizer.ts';

/** An import that replaces the folder again and again is no reason to wait for ever. */
const MOST_TRIES = 3;

export class LoadedModel {
  readonly promptCache: PromptCache;

  private constructor(
    readonly info: LocalModelInfo,
    readonly manifest: ModelManifest,
    readonly session: Session,
    readonly tokenizer: Tokenizer | null,
    /** What the caller asked for: another choice needs another session. */
    readonly choice: ProviderChoice,
  ) {
    this.promptCache = new PromptCache(session, manifest);
  }

  /**
   * Every file is as its manifest says. A folder that an import replaces in the meantime is opened anew: what is loaded
   * is never of two imports.
   * @throws TahError model.*, engine.provider-unavailable, engine.out-of-memory, cancelled
   */
  static async open(folder: string, choice: ProviderChoice, choose: ChooseProvider = chooseUntested, signal?: AbortSignal): Promise<LoadedModel> {
    for (let tries = 1; ; tries++) {
      const opened = openModelFolder(folder);
      try {
        const loaded = await LoadedModel.load(opened, choice, await choose(folder, choice, signal), signal);
        if (isStill(opened) || tries === MOST_TRIES) return loaded;
        await loaded.close();
      } catch (error) {
        if (isStill(opened) || tries === MOST_TRIES) throw error;
      }
    }
  }

  private static async load(opened: ModelFolder, choice: ProviderChoice, provider: LocalProviderInfo, signal: AbortSignal | undefined): Promise<LoadedModel> {
    const { manifest, info, graphFile } = opened;
    await verifyUnlessKnown(opened, signal);
    const tokenizer = manifest.hasTokenizer ? loadTokenizer(path.dirname(graphFile)) : null;
    return new LoadedModel(info, manifest, await openModelSession(opened, provider), tokenizer, choice);
  }

  /** @throws TahError model.no-tokenizer, input.empty, engine.bad-request */
  promptIds(prompt: Prompt): readonly number[] {
    const ids = encodePrompt(prompt, this.info, this.tokenizer);
    if (ids.length === 0) throw new TahError('input.empty', 'The text is empty.', { hint: 'Type or select a problem.' });
    const strange = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.manifest.architecture.vocabSize);
    if (strange !== undefined) throw new TahError('engine.bad-request', `The model has no token ${strange}.`, { subject: 'prompt' });
    return ids;
  }

  close(): Promise<void> {
    this.promptCache.close();
    return this.session.close();
  }
}

/** Whether the folder is the one that was opened. */
function isStill(opened: ModelFolder): boolean {
  try {
    return openModelFolder(opened.info.path).info.hash === opened.info.hash;
  } catch (error) {
    // What is wrong with it now has been wrong before, unless it is on its way out or in.
    if (TahError.from(error).code === 'model.not-found') return false;
    return true;
  }
}

/** @throws TahError model.no-tokenizer, and what the chat template refuses */
export function encodePrompt(prompt: Prompt, info: LocalModelInfo, tokenizer: Tokenizer | null): readonly number[] {
  if (prompt.kind === 'tokens') return prompt.ids;
  if (tokenizer === null) {
    throw new TahError('model.no-tokenizer', `The model ${info.name} has no tokenizer, so it can't read text.`, { file: info.path, hint: 'Import a checkpoint that has tokenizer.json.' });
  }
  switch (prompt.kind) {
    case 'text':
      return tokenizer.encode(prompt.text);
    case 'chat': {
      const rendered = tokenizer.renderChat(prompt.messages, prompt.enableThinking === undefined ? {} : { enableThinking: prompt.enableThinking });
      return tokenizer.encode(rendered);
    }
    default:
      return prompt satisfies never;
  }
}
