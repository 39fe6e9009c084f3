/**
 * `tah verify DIR`: imports the checkpoint of a folder of golden vectors and replays every case on it. Sampling and
 * tokenizer vectors are replayed where the folder has them. Knows the order of the work; what is compared, replay.ts.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openModelFolder } from '../../engine/modelFolder.ts';
import { survivors } from '../../engine/sampling.ts';
import { openSession } from '../../engine/session.ts';
import { loadTokenizer, type Tokenizer } from '../../engine/text/tokenizer.ts';
import { importCheckpoint } from '../../importer/importer.ts';
import { TahError } from '../../protocol/errors.ts';
import type { GraphFlavour, Quantization } from '../../protocol/manifest.ts';
import type { ProviderChoice } from '../../protocol/engine.ts';
import { readGolden, readSamplingGolden, readTokenizerGolden, type Golden } from './goldenFile.ts';
import { replayDecode, replayForward } from './replay.ts';
import { Report, type StageResult } from './report.ts';

/** Largest difference of a survivor's probability: float32 sums in another order. */
const SAMPLING_TOLERANCE = 1e-5;

export interface VerifyOptions {
  readonly quantization: Quantization;
  readonly flavour?: GraphFlavour;
  readonly provider?: ProviderChoice;
}

export interface Verification {
  readonly dir: string;
  readonly quantization: Quantization;
  readonly provider: string;
  readonly cases: number;
  readonly stages: readonly StageResult[];
  readonly ok: boolean;
}

/** @throws TahError for a folder that can't be read or a checkpoint that is refused */
export async function verify(dir: string, options: VerifyOptions): Promise<Verification> {
  const report = new Report();
  const goldenFile = path.join(dir, 'golden.json');
  const samplingFile = path.join(dir, 'sampling.json');
  let cases = 0;
  if (fs.existsSync(goldenFile)) cases += await verifyModel(dir, options, report);
  if (fs.existsSync(samplingFile)) cases += verifySampling(samplingFile, report);
  if (cases === 0) {
    throw new TahError('input.missing-file', `${dir} holds no golden vectors.`, { file: dir, hint: 'Give a folder with golden.json (and ckpt/) or sampling.json.' });
  }
  return { dir, quantization: options.quantization, provider: options.provider ?? 'auto', cases, stages: report.results(), ok: report.ok };
}

async function verifyModel(dir: string, options: VerifyOptions, report: Report): Promise<number> {
  const golden = readGolden(dir);
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-verify-'));
  try {
    const groups = new Map<string, (typeof golden.cases)[number][]>();
    for (const test of golden.cases) {
      if (test.kind === 'unknown') report.fail('unknown cases', test.reason);
      else groups.set(JSON.stringify(importOverride(test.tah_config_override)), [...(groups.get(JSON.stringify(importOverride(test.tah_config_override))) ?? []), test]);
    }
    let number = 0;
    for (const [override, tests] of groups) await verifyGroup(golden, path.join(work, String(number++)), override, tests, options, report);
    const tokenizerFile = path.join(dir, 'tokenizer_golden.json');
    let texts = 0;
    if (fs.existsSync(tokenizerFile)) texts = verifyTokenizer(tokenizerFile, loadTokenizer(golden.checkpoint), report);
    return golden.cases.length + texts;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** The oracle is a policy of ours, not another checkpoint: its label decider is asked for by the case's labels. */
function importOverride(override: Readonly<Record<string, unknown>> | null): Record<string, unknown> {
  const { eval_iter_decider: decider, ...rest } = override ?? {};
  return decider === undefined || decider === 'IterLabelDecider' ? rest : { ...rest, eval_iter_decider: decider };
}

async function verifyGroup(golden: Golden, out: string, override: string, tests: readonly Golden['cases'][number][], options: VerifyOptions, report: Report): Promise<void> {
  const tahConfigOverride = JSON.parse(override) as Record<string, unknown>;
  const request = { checkpoint: golden.checkpoint, out, quantization: options.quantization };
  const importOptions = { probes: true, tahConfigOverride, ...(options.flavour === undefined ? {} : { flavour: options.flavour }) };
  for await (const event of importCheckpoint(request, importOptions)) if (event.type === 'done') report.agree('import', event.out, event.bytes > 0, true);
  const { manifest, graphFile } = openModelFolder(out);
  const session = await openSession(graphFile, { provider: options.provider ?? 'auto' });
  try {
    for (const test of tests) {
      const replay = { session, manifest, golden, report };
      if (test.kind === 'forward') await replayForward(replay, test);
      else if (test.kind === 'decode') await replayDecode(replay, test);
    }
  } finally {
    await session.close();
  }
}

function verifySampling(file: string, report: Report): number {
  const golden = readSamplingGolden(file);
  for (const [i, test] of golden.cases.entries()) {
    const { temperature, top_k: topK, top_p: topP, min_p: minP } = test.settings;
    const where = `case ${i} (${test.vector_name})`;
    const ours = survivors(golden.vector(test.vector).data, { temperature, topK, topP, minP, seed: 0 });
    // Equal logits may stand in any order, and a cut through them is no one's right.
    if (test.vector_name.includes('ties')) {
      if (topP >= 1) report.agree('sampling survivors', where, [...ours.ids].toSorted((a, b) => a - b), test.hf_ids.toSorted((a, b) => a - b));
      continue;
    }
    report.agree('sampling survivors', where, [...ours.ids], test.hf_ids);
    report.compare('sampling probabilities', where, ours.probs, test.hf_probs, SAMPLING_TOLERANCE);
  }
  return golden.cases.length;
}

function verifyTokenizer(file: string, tokenizer: Tokenizer, report: Report): number {
  const golden = readTokenizerGolden(file);
  for (const test of golden.encodings) {
    const where = JSON.stringify(test.text.slice(0, 40));
    report.agree('tokenizer: encode', where, tokenizer.encode(test.text), test.ids);
    report.agree('tokenizer: decode', where, tokenizer.decode(test.ids, { skipSpecial: false }), test.decoded);
    report.agree('tokenizer: decode', where, tokenizer.decode(test.ids, { skipSpecial: true }), test.decoded_skip_special);
    if (test.prefix_decodes !== null) report.agree('tokenizer: prefixes', where, test.ids.map((_, i) => tokenizer.decode(test.ids.slice(0, i + 1))), test.prefix_decodes);
    const stream = tokenizer.stream();
    const pieces = test.ids.map((id) => (tokenizer.isSpecial(id) ? '' : stream.push(id)));
    report.agree('tokenizer: streamed', where, pieces.join('') + stream.end(), test.decoded_skip_special);
  }
  for (const [i, chat] of golden.chats.entries()) {
    const options = { addGenerationPrompt: chat.add_generation_prompt, ...(chat.enable_thinking === undefined ? {} : { enableThinking: chat.enable_thinking }) };
    const text = tokenizer.renderChat(chat.messages, options);
    report.agree('chat template', `chat ${i}`, text, chat.text);
    report.agree('chat template', `chat ${i}, ids`, tokenizer.encode(text), chat.ids);
  }
  return golden.encodings.length + golden.chats.length;
}
