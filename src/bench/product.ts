/** The bundled model as its user meets it: from the start of a process to the first token, warm, and how precise. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createEngine } from '../engine/engine.ts';
import { openModelFolder } from '../engine/modelFolder.ts';
import { loadTokenizer } from '../engine/text/tokenizer.ts';
import { importCheckpoint } from '../importer/importer.ts';
import type { CacheKind, Quantization } from '../protocol/manifest.ts';
import { agreement } from './agreement.ts';
import type { Row } from './report.ts';
import { spreadOf } from './statistics.ts';

const PROBLEM = 'Solve 3x + 5 = 20 for x';
const MODEL = 'tah-math-small';
const ROOT = path.join(import.meta.dirname, '..');

/** `tah solve` until its first text, and an engine that has the model loaded until its first token. */
export async function starts(model: string, rounds: number): Promise<Row[]> {
  const cold: number[] = [];
  for (let round = 0; round <= rounds; round++) cold.push(await firstText(model));
  const engine = createEngine();
  const warm: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    // Another problem each time: one that was there before would go on from its prompt.
    const content = `Solve ${round + 3}x + ${round + 5} = ${20 - round} for x`;
    const started = performance.now();
    for await (const event of engine.generate({ model, prompt: { kind: 'chat', messages: [{ role: 'user', content }] }, policy: { kind: 'decider' }, maxTokens: 4 })) {
      if (event.type !== 'token') continue;
      warm.push(performance.now() - started);
      break;
    }
  }
  await engine.unload();
  return [
    { measure: 'bundled model: process start to first token', goal: '<= 1 s', ours: spreadOf(cold.slice(1).map((ms) => ms / 1000)), unit: 's' },
    { measure: 'bundled model: first token when loaded', goal: '<= 50 ms', ours: spreadOf(warm.slice(1)), unit: 'ms' },
  ];
}

function firstText(model: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'cli.cjs'), 'solve', '--model', model, PROBLEM], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    child.stdout.once('data', () => {
      resolve(performance.now() - started);
      child.kill();
    });
    child.once('error', reject);
    child.once('close', () => { reject(new Error(`tah solve wrote no text: ${said}`)); });
  });
}

export interface QuantizationAgreement {
  readonly quantization: string;
  readonly rows: number;
  readonly top1: number;
  readonly decisions: number;
  readonly kl: number;
}

const ROUNDINGS: readonly { readonly quantization: Quantization; readonly cache: CacheKind }[] = [
  { quantization: 'fp32', cache: 'int8' },
  { quantization: 'int8', cache: 'float32' },
  { quantization: 'int8', cache: 'int8' },
  { quantization: 'int4', cache: 'float32' },
  { quantization: 'int4', cache: 'int8' },
];

/**
 * int4 and int8 of the bundled checkpoint, and keys and values at 8 bits, against its float32, over held-out problems
 * with their solutions.
 */
export async function agreements(cache: string, problems: number): Promise<QuantizationAgreement[]> {
  const source = path.join(ROOT, 'models', MODEL);
  const imported = async (quantization: Quantization, rows: CacheKind): Promise<string> => {
    const out = path.join(cache, `${MODEL}.${quantization}.${rows}`);
    for await (const event of importCheckpoint({ checkpoint: path.join(source, 'checkpoint'), out, quantization, replace: true }, { cache: rows })) if (event.type === 'done') return event.out;
    throw new Error('the import did not end');
  };
  const reference = await imported('fp32', 'float32');
  const texts = heldOut(path.join(source, 'heldout.jsonl'), reference, problems);
  const found: QuantizationAgreement[] = [];
  for (const { quantization, cache: kept } of ROUNDINGS) {
    const { rows, top1, decisions, kl } = await agreement(reference, await imported(quantization, kept), texts);
    found.push({ quantization: `${quantization}, keys and values at ${kept}`, rows, top1, decisions: decisions ?? NaN, kl });
  }
  return found;
}

/** Problems spread evenly over the file, each as the chat that the model was trained on, its solution included. */
function heldOut(file: string, model: string, count: number): number[][] {
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n');
  const tokenizer = loadTokenizer(model);
  const { contextLength } = openModelFolder(model).manifest.architecture;
  return Array.from({ length: Math.min(count, lines.length) }, (_, i) => {
    const { question, solution } = JSON.parse(lines[Math.floor((i * lines.length) / count)] ?? '{}') as { question: string; solution: string };
    return [...tokenizer.encode(tokenizer.renderChat([{ role: 'user', content: question }], {}) + solution)].slice(0, contextLength);
  });
}

export function agreementRows(found: readonly QuantizationAgreement[]): Row[] {
  return found.flatMap(({ quantization, rows, top1, decisions, kl }): Row[] => {
    const of = (value: number) => ({ median: value, low: value, high: value });
    return [
      { measure: `bundled model, ${quantization} against fp32: same decision of the decider, ${rows} rows`, goal: '>= 99 % as default', ours: of(100 * decisions), unit: '%' },
      { measure: `bundled model, ${quantization} against fp32: same most probable token`, goal: '', ours: of(100 * top1), unit: '%' },
      { measure: `bundled model, ${quantization} against fp32: mean KL`, goal: '', ours: of(1000 * kl), unit: 'mnat' },
    ];
  });
}
