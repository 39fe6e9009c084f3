/**
 * llama.cpp as a contestant of `npm run bench` (src/bench/contestant.ts has the questions), through node-llama-cpp.
 * argv: its folder, the GGUF file, threads, "flash" or "plain", contexts. Knows nothing of the bench but the questions.
 */
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [folder = '', modelPath = '', threadCount = '2', attention = 'plain', vocabulary = '0'] = process.argv.slice(2);
const threads = Number(threadCount);
const vocab = Number(vocabulary);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(join(folder, 'node_modules/node-llama-cpp/dist/index.js')).href);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
/** One for each length: cache and compute buffers are as large as what is asked. */
const sequences = new Map();

/** The ids of src/bench/ours.ts. @param {number} count */
function someIds(count) {
  return Array.from({ length: count }, (_, i) => 5 + ((i * 7919 + 13) % (vocab - 10)));
}

/** @param {number} rows */
async function sequenceOf(rows) {
  const context = await model.createContext({ contextSize: rows + 256, batchSize: 512, threads: { ideal: threads, min: threads }, flashAttention: attention === 'flash' });
  return context.getSequence();
}

/** @param {any} sequence @param {readonly number[]} ids @param {number} tokens how many are drawn after them (greedy) */
async function draw(sequence, ids, tokens) {
  let drawn = 0;
  for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
    if (token === undefined || ++drawn === tokens) return;
  }
}

/** @param {any} question */
async function answer(question) {
  if (question.op === 'fill') {
    const sequence = await sequenceOf(question.context);
    await sequence.evaluateWithoutGeneratingNewTokens(someIds(question.context));
    sequences.set(question.context, sequence);
    return {};
  }
  if (question.op === 'decode') {
    const sequence = sequences.get(question.context);
    const started = performance.now();
    await draw(sequence, someIds(1), question.tokens);
    const ms = (performance.now() - started) / question.tokens;
    await sequence.eraseContextTokenRanges([{ start: question.context, end: sequence.nextTokenIndex }]);
    return { ms };
  }
  if (question.op === 'prefill') {
    const known = sequences.get('prefill') ?? (await sequenceOf(question.tokens));
    sequences.set('prefill', known);
    await known.clearHistory();
    const started = performance.now();
    await draw(known, someIds(question.tokens), 1);
    return { ms: performance.now() - started };
  }
  return { rssBytes: process.memoryUsage.rss() };
}

process.stdout.write('{"ready":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await answer(JSON.parse(line));
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.exit(0);
