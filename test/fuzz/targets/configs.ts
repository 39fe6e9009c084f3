/** Every configuration of a checkpoint and of a model folder, on the disk: what is believed is read to its last number. */

import fs from 'node:fs';
import path from 'node:path';
import { judgeScope } from '../../../src/answer/scopeFile.ts';
import { openModelFolder, verifyHashes } from '../../../src/engine/modelFolder.ts';
import { readSelfTest } from '../../../src/engine/providers/selfTest.ts';
import { openCheckpoint } from '../../../src/importer/checkpoint/openCheckpoint.ts';
import { LINEARS } from '../../../src/importer/checkpoint/types.ts';
import { importCheckpoint } from '../../../src/importer/importer.ts';
import type { ModelManifest } from '../../../src/protocol/manifest.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { inventJson, mutateJson } from '../mutate/json.ts';
import { bytesOf, Finding, textOf, type Input, type Outcome, type Room, type Subject } from '../target.ts';

const WHOLE = ['config.json', 'generation_config.json', 'tah_config.json', 'lora/adapter_config.json'] as const;
const INDEX = 'model.safetensors.index.json';
const SHARD = 'model-00001-of-00001.safetensors';
const SELF_TEST = { format: 'tah-selftest/1', prompt: [1, 2, 3], tolerance: { logits: 0.05, probability: 0.02 }, threshold: 0.5, steps: [{ token: null, iterCount: 1, probabilities: [0.25], ids: [5, 6], values: [1.5, 1] }] };

export async function open({ root, folder }: Room): Promise<Subject> {
  const good = path.join(root, 'test/golden/vectors/broken/_good');
  const [whole, sharded, model] = ['whole', 'sharded', 'model'].map((name) => path.join(folder, name)) as [string, string, string];
  for (const copy of [whole, sharded]) fs.cpSync(good, copy, { recursive: true });
  fs.renameSync(path.join(sharded, 'model.safetensors'), path.join(sharded, SHARD));
  fs.writeFileSync(path.join(sharded, INDEX), JSON.stringify({ metadata: { total_size: 1 }, weight_map: Object.fromEntries(tensorNames(path.join(sharded, SHARD)).map((name) => [name, SHARD])) }));
  await imported(whole, model);
  fs.copyFileSync(path.join(root, 'models/tah-math-small/checkpoint/subjects.json'), path.join(model, 'subjects.json'));
  fs.writeFileSync(path.join(model, 'selftest.json'), JSON.stringify(SELF_TEST));
  const parts = [...WHOLE.map((name) => `whole/${name}`), `sharded/${INDEX}`, 'model/manifest.json', 'model/manifest.json', 'model/subjects.json', 'model/selftest.json'];
  const sound = new Map(parts.map((part) => [part, fs.readFileSync(path.join(folder, part), 'utf8')]));
  const seeds = parts.map((part): Input => ({ part, data: sound.get(part) ?? '' }));
  return {
    seeds,
    mutate: (seed, random) => ({ part: seed.part, data: random.chance(0.08) ? mutateBytes(bytesOf(seed), random) : mutateJson(textOf(seed), random) }),
    invent: (random) => ({ part: random.pick(parts), data: inventJson(random) }),
    run: async ({ part, data }): Promise<Outcome> => {
      const file = path.join(folder, part);
      fs.writeFileSync(file, data);
      try {
        if (part.startsWith('model/')) await readModel(model, part);
        else readCheckpoint(path.join(folder, part.split('/')[0] ?? ''));
      } finally {
        fs.writeFileSync(file, sound.get(part) ?? '');
      }
      return 'accepted';
    },
  };
}

async function imported(checkpoint: string, out: string): Promise<void> {
  for await (const event of importCheckpoint({ checkpoint, out, quantization: 'fp32' }, {})) {
    if (event.type === 'done' && event.out !== out) throw new Error(`imported to ${event.out}`);
  }
}

function readCheckpoint(folder: string): void {
  const checkpoint = openCheckpoint(folder);
  try {
    const { config, weights, tah } = checkpoint;
    for (const name of weights.names) {
      if (weights.read(name).length !== weights.info(name).shape.reduce((product, size) => product * size, 1)) throw new Finding(`tensor ${name} has another number of elements`);
    }
    if (!config.ropeInverseFrequencies.every(Number.isFinite) || !Number.isFinite(config.ropeAttentionFactor)) throw new Finding('a frequency of RoPE is not finite');
    if (tah === null) return;
    for (const linear of LINEARS) if (tah.lora.adapts(linear)) tah.lora.read(0, linear);
    for (const name of tah.decider.names) tah.decider.read(name);
    if (!Number.isFinite(tah.lora.config.scale) || !Number.isFinite(tah.decider.config.threshold)) throw new Finding('a number of the second pass is not finite');
  } finally {
    checkpoint.close();
  }
}

async function readModel(folder: string, part: string): Promise<void> {
  if (part === 'model/selftest.json') readSelfTest(folder);
  else if (part === 'model/subjects.json') {
    for (const question of ['Solve 2x + 1 = 5', '', '99999999999999999999 apples', 'prove \\forall x \u202e']) await judgeScope(folder, question, null);
    await judgeScope(folder, 'x', 'I cannot answer that.');
  } else {
    const opened = openModelFolder(folder);
    await verifyHashes(opened);
    for (const file of graphFiles(opened.manifest)) {
      const full = path.join(path.dirname(opened.graphFile), file);
      if (path.dirname(full) !== path.resolve(folder)) throw new Finding(`a graph lies outside of the model's folder: ${file.slice(0, 100)}`);
    }
  }
}

/** What modelSession.ts opens beside the graph. */
function graphFiles({ graph }: ModelManifest): readonly string[] {
  return [graph.file, ...(graph.others ?? []).flatMap(({ file, mergeFile }) => (mergeFile === undefined ? [file] : [file, mergeFile]))];
}

function tensorNames(file: string): readonly string[] {
  const bytes = fs.readFileSync(file);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()) as Record<string, unknown>;
  return Object.keys(header).filter((name) => name !== '__metadata__');
}
