/**
 * Opens a checkpoint folder in the official layout (method.md, "Checkpoint layout") and believes nothing that it says.
 * Knows which files there are and how they belong together; each format has its own reader. Numbers of tensors are read
 * and checked on demand.
 */
import path from 'node:path';
import { checkTensors } from './architecture.ts';
import { SELF_TEST_FILE } from '../../protocol/manifest.ts';
import { SUBJECTS_FILE } from '../../protocol/scope.ts';
import { CheckpointFolder } from './checkpointFolder.ts';
import { DECIDER_FILE, openDecider } from './decider.ts';
import { readGeneration } from './generationConfig.ts';
import { LORA_CONFIG_FILE, LORA_WEIGHTS_FILE, openLora } from './lora.ts';
import { CONFIG_FILE, readModelConfig } from './modelConfig.ts';
import { refuse } from './refusal.ts';
import { readTahConfig, TAH_CONFIG_FILE } from './tahConfig.ts';
import { openWeights, tensorSource } from './tensorSource.ts';
import type { Checkpoint, ModelConfig, OpenCheckpointOptions } from './types.ts';

const TAH_FILES = [TAH_CONFIG_FILE, DECIDER_FILE, LORA_CONFIG_FILE, LORA_WEIGHTS_FILE] as const;
const LORA_FOLDER = 'lora';
const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_FILES = [TOKENIZER_FILE, 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'chat_template.jinja', 'chat_template.json'] as const;

/**
 * The checkpoint in `dir`; its files stay open until close().
 * @throws TahError checkpoint.* naming the file, the tensor or key, and what was expected; nothing stays open then
 */
export function openCheckpoint(dir: string, options: OpenCheckpointOptions = {}): Checkpoint {
  const folder = new CheckpointFolder(dir);
  try {
    return read(folder, options);
  } catch (error) {
    folder.close();
    throw error;
  }
}

function read(folder: CheckpointFolder, options: OpenCheckpointOptions): Checkpoint {
  const { config, raw } = readModelConfig(folder);
  const { tokens, generation } = readGeneration(folder, raw, { origin: folder.origin(CONFIG_FILE), code: 'checkpoint.bad-config' }, config.vocabSize);
  const { entries, origin } = openWeights(folder);
  const names = checkTensors(entries, config, origin);
  const parameters = names.reduce((sum, name) => sum + (entries.get(name)?.elements ?? 0), 0);
  return {
    dir: folder.dir,
    name: path.basename(folder.dir),
    config,
    weights: tensorSource(entries, names, origin),
    parameters,
    tah: hasTah(folder) ? readTah(folder, config, options) : null,
    tokens,
    generation,
    tokenizerFiles: findTokenizer(folder),
    declarations: findDeclarations(folder),
    close: () => {
      folder.close();
    },
  };
}

/** All of the Think-at-Hard files, or none. @throws TahError checkpoint.incomplete */
function hasTah(folder: CheckpointFolder): boolean {
  const missing = TAH_FILES.filter((name) => !folder.has(name));
  if (missing.length === TAH_FILES.length && !folder.has(LORA_FOLDER)) return false;
  const [first] = missing;
  if (first !== undefined) {
    refuse('checkpoint.incomplete', folder.origin(first), `the checkpoint has only some of the Think-at-Hard files: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`, {
      subject: first,
      hint: 'Download all files again; a plain model has none of tah_config.json, iter_decider.bin and lora/.',
    });
  }
  return true;
}

function readTah(folder: CheckpointFolder, model: ModelConfig, options: OpenCheckpointOptions): Checkpoint['tah'] {
  const { maxIter, inputTopK, decider, adapter } = readTahConfig(folder, model, options);
  return { maxIter, inputTopK, lora: openLora(folder, adapter, model), decider: openDecider(folder, decider, model) };
}

function findDeclarations(folder: CheckpointFolder): readonly string[] {
  const names = [SUBJECTS_FILE, SELF_TEST_FILE].filter((name) => folder.has(name));
  for (const name of names) folder.check(folder.origin(name));
  return names;
}

function findTokenizer(folder: CheckpointFolder): readonly string[] {
  if (!folder.has(TOKENIZER_FILE)) return [];
  const names = TOKENIZER_FILES.filter((name) => folder.has(name));
  for (const name of names) folder.check(folder.origin(name));
  return names;
}
