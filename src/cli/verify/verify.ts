/**
 * `tah verify DIR`: imports the checkpoint of a folder of golden vectors and replays every case on it. Sampling and
 * tokenizer vectors are replayed where the folder has them. Knows the order of the work; what is compared is in the replays.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openModelFolder } from '../../engine/modelFolder.ts';
import { openModelSession } from '../../engine/modelSession.ts';
import { importCheckpoint } from '../../importer/importer.ts';
import { TahError } from '../../protocol/errors.ts';
import type { GraphFlavour, Quantization } from '../../protocol/manifest.ts';
import type { Provider } from '../../protocol/engine.ts';
import { readGolden, type Golden, type GoldenCase } from './goldenFile.ts';
import { compareModel, replayCase } from './replay.ts';
import { replaySampling } from './replaySampling.ts';
import { replayTokenizer } from './replayTokenizer.ts';
import { Report, type StageResult } from './report.ts';

const GOLDEN_FILE = 'golden.json';
const SAMPLING_FILE = 'sampling.json';
const TOKENIZER_FILE = 'tokenizer_golden.json';
/** Where tokenizer vectors are replayed that come without a golden.json, which would name the folder. */
const CHECKPOINT = 'ckpt';

export interface VerifyOptions {
  readonly quantization: Quantization;
  /** Whose graph; default: the provider's own. */
  readonly flavour?: GraphFlavour;
  readonly provider?: Provider;
}

export interface Verification {
  readonly dir: string;
  readonly quantization: Quantization;
  readonly provider: string;
  readonly cases: number;
  readonly stages: readonly StageResult[];
  readonly ok: boolean;
}

/** @throws TahError for a folder that can't be read or a checkpoint that is refused; cancelled */
export async function verify(dir: string, options: VerifyOptions, signal?: AbortSignal): Promise<Verification> {
  const report = new Report();
  const has = (name: string): boolean => fs.existsSync(path.join(dir, name));
  const golden = has(GOLDEN_FILE) ? readGolden(dir) : null;
  let cases = 0;
  if (golden !== null) cases += await verifyModel(golden, options, report, signal);
  if (has(TOKENIZER_FILE)) cases += replayTokenizer(path.join(dir, TOKENIZER_FILE), golden?.checkpoint ?? path.join(dir, CHECKPOINT), report);
  if (has(SAMPLING_FILE)) cases += replaySampling(path.join(dir, SAMPLING_FILE), report);
  if (cases === 0) {
    throw new TahError('input.missing-file', `${dir} holds no golden vectors.`, { file: dir, hint: `Give a folder with ${GOLDEN_FILE} (and ${CHECKPOINT}/), ${SAMPLING_FILE} or ${TOKENIZER_FILE}.` });
  }
  return { dir, quantization: options.quantization, provider: options.provider ?? 'cpu', cases, stages: report.results(), ok: report.ok };
}

async function verifyModel(golden: Golden, options: VerifyOptions, report: Report, signal: AbortSignal | undefined): Promise<number> {
  for (const reason of golden.strange) report.fail('cases', reason);
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-verify-'));
  try {
    // One import for all cases with the same override of tah_config.json.
    const groups = new Map<string, GoldenCase[]>();
    for (const test of golden.cases) {
      const override = JSON.stringify(test.tah_config_override ?? {});
      groups.set(override, [...(groups.get(override) ?? []), test]);
    }
    for (const [index, tests] of [...groups.values()].entries()) await verifyGroup(golden, path.join(work, String(index)), tests, options, report, signal);
    return golden.cases.length + golden.strange.length;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** @param tests cases with the same override */
async function verifyGroup(golden: Golden, out: string, tests: readonly GoldenCase[], options: VerifyOptions, report: Report, signal: AbortSignal | undefined): Promise<void> {
  const request = { checkpoint: golden.checkpoint, out, quantization: options.quantization };
  const override = tests[0]?.tah_config_override ?? {};
  for await (const event of importCheckpoint(request, { probes: true, tahConfigOverride: override }, signal)) if (event.type === 'done') report.agree('import', event.out, event.bytes > 0, true);
  const folder = openModelFolder(out);
  const { manifest } = folder;
  if (Object.keys(override).length === 0) compareModel({ report, manifest }, golden.model);
  const provider = { provider: options.provider ?? 'cpu', reason: 'verified', rejected: [] } as const;
  const session = await openModelSession(folder, provider, options.flavour);
  try {
    for (const test of tests) await replayCase({ session, manifest, golden, report, signal }, test);
  } finally {
    await session.close();
  }
}
