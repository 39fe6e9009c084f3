/** Decode and prefill of a shape at int4 against llama.cpp and the PyTorch loop, alternating; and the memory that is read. */
import { bandwidthMeter } from './bandwidth.ts';
import { start, type Contestant } from './contestant.ts';
import { checkpointOf, ggufOf, llamaFolder, modelOf, pythonOf, scriptFile, type ShapeName } from './prepared.ts';
import type { Row } from './report.ts';
import { measureRounds, type Case, type Times } from './rounds.ts';
import { ratios, spreadOf, type Spread } from './statistics.ts';
import { openModelFolder } from '../engine/modelFolder.ts';

/** Share of tokens with a second pass, as in the paper's Qwen3 models. */
export const HARD = 0.07;
const HARD_SHARE = `${Math.round(100 * HARD)} %`;
/** Share of second passes whose next token is guessed: what the bundled model's decoding shows is above this. */
const GUESSED = 0.95;
const CONTEXTS = [64, 2048] as const;
const PREFILL = 256;

export interface SpeedOptions {
  readonly shape: ShapeName;
  readonly cache: string;
  readonly rounds: number;
  /** Tokens of a decode in a round. */
  readonly tokens: number;
  readonly threads: number;
  readonly peers: boolean;
  readonly python?: string | undefined;
  readonly say: (text: string) => void;
}

export interface Speed {
  readonly rows: readonly Row[];
  /** Milliseconds by case. */
  readonly times: Readonly<Record<string, Spread>>;
  readonly bandwidth: Spread;
}

/** A contestant, or why it is not there. */
type Peer = Contestant | { readonly absent: string };

export async function speed(options: SpeedOptions): Promise<Speed> {
  const { shape, cache, say } = options;
  say('Preparing the models');
  const [plainFolder, tahFolder] = [await modelOf(shape, false, cache), await modelOf(shape, true, cache)];
  const worker = (name: string, folder: string): Promise<Contestant> => start(name, process.execPath, [...process.execArgv, process.argv[1] ?? '', '--worker', folder]);
  say('Loading');
  const plain = await worker('plain', plainFolder);
  const tah = await worker('tah', tahFolder);
  const peers = options.peers ? await openPeers(options) : { llama: absent('--no-peers'), flash: absent('--no-peers'), torch: absent('--no-peers') };
  const meter = await bandwidthMeter(options.threads);
  const open: Contestant[] = [plain, tah, ...Object.values(peers).filter(isThere)];
  try {
    for (const contestant of open) {
      for (const context of CONTEXTS) {
        say(`${contestant.name} fills a cache of ${context} rows`);
        await contestant.ask({ op: 'fill', context });
      }
    }
    const bandwidths: number[] = [];
    const times = await measureRounds(casesOf(plain, tah, peers, options.tokens), options.rounds, async () => { bandwidths.push(await meter.measure()); }, say);
    const bandwidth = spreadOf(bandwidths.slice(1));
    return { rows: rowsOf(times, peers, { bandwidths: bandwidths.slice(1), bytes: bytesRead(plainFolder) }), times: Object.fromEntries([...times].map(([key, values]) => [key, spreadOf(values)])), bandwidth };
  } finally {
    await meter.close();
    for (const contestant of open) await contestant.close();
  }
}

interface Peers {
  readonly llama: Peer;
  readonly flash: Peer;
  readonly torch: Peer;
}

async function openPeers({ shape, cache, threads, python, say }: SpeedOptions): Promise<Peers> {
  const opened = async (name: string, open: () => Promise<Contestant>): Promise<Peer> => {
    try {
      say(`Starting ${name}`);
      return await open();
    } catch (error) {
      return absent(error instanceof Error ? error.message : String(error));
    }
  };
  const llama = (attention: 'plain' | 'flash') => async (): Promise<Contestant> => {
    const folder = await llamaFolder(cache);
    const model = await modelOf(shape, false, cache);
    return start(`llama.cpp (${attention} attention)`, process.execPath, [scriptFile('llama.mjs'), folder, ggufOf(shape, cache), String(threads), attention, String(openModelFolder(model).manifest.architecture.vocabSize)]);
  };
  return {
    llama: await opened('llama.cpp', llama('plain')),
    flash: await opened('llama.cpp with flash attention', llama('flash')),
    torch: await opened('the PyTorch loop', async () => start('PyTorch', await pythonOf(python), [scriptFile('reference.py'), checkpointOf(shape, false, cache), String(threads), 'bfloat16'])),
  };
}

function absent(why: string): Peer {
  return { absent: why };
}

function isThere(peer: Peer): peer is Contestant {
  return 'ask' in peer;
}

function casesOf(plain: Contestant, tah: Contestant, peers: Peers, tokens: number): Case[] {
  const cases: Case[] = [];
  for (const context of CONTEXTS) {
    cases.push({ key: `plain decode ${context}`, contestant: plain, question: { op: 'decode', context, tokens } });
    cases.push({ key: `tah decode ${context}`, contestant: tah, question: { op: 'decode', context, tokens, hard: HARD, guessed: GUESSED } });
    for (const [name, peer] of [['llama', peers.llama], ['flash', peers.flash]] as const) {
      if (isThere(peer)) cases.push({ key: `${name} decode ${context}`, contestant: peer, question: { op: 'decode', context, tokens } });
    }
    if (isThere(peers.torch)) cases.push({ key: `torch decode ${context}`, contestant: peers.torch, question: { op: 'decode', context, tokens: Math.ceil(tokens / 2), hard: HARD } });
  }
  // Where the ratio of a decode comes from: what every token pays, and what a second pass costs.
  cases.push({ key: 'tah decode easy', contestant: tah, question: { op: 'decode', context: CONTEXTS[0], tokens } });
  cases.push({ key: 'tah decode hard', contestant: tah, question: { op: 'decode', context: CONTEXTS[0], tokens, hard: 1, guessed: GUESSED } });
  cases.push({ key: 'plain prefill', contestant: plain, question: { op: 'prefill', tokens: PREFILL } });
  cases.push({ key: 'tah prefill', contestant: tah, question: { op: 'prefill', tokens: PREFILL, decides: true } });
  cases.push({ key: 'tah prefill hard', contestant: tah, question: { op: 'prefill', tokens: PREFILL, decides: true, hard: HARD } });
  for (const [name, peer] of [['llama', peers.llama], ['flash', peers.flash]] as const) {
    if (isThere(peer)) cases.push({ key: `${name} prefill`, contestant: peer, question: { op: 'prefill', tokens: PREFILL } });
  }
  return cases;
}

/** Of a plain decode: every weight but the embedding's lookup, once a token. A tied embedding is read as the head. */
function bytesRead(folder: string): number {
  const { manifest } = openModelFolder(folder);
  return manifest.files.find((file) => file.path.endsWith('.data'))?.bytes ?? NaN;
}

function rowsOf(times: Times, peers: Peers, memory: { readonly bandwidths: readonly number[]; readonly bytes: number }): Row[] {
  const of = (key: string): readonly number[] => times.get(key) ?? [];
  /** The peer's better setting, by its median. */
  const best = (what: string): string => (spreadOf(of(`flash ${what}`)).median < spreadOf(of(`llama ${what}`)).median ? 'flash' : 'llama');
  const against = (measure: string, ours: string, other: string, goal: string, peer: Peer): Row => ({ measure, goal, ...(isThere(peer) ? { ours: spreadOf(of(ours)), other: spreadOf(of(other)), unit: 'ms', ratio: ratios(of(ours), of(other)) } : { absent: peer.absent }) });
  const own = (measure: string, ours: string, other: string, goal: string): Row => ({ measure, goal, ours: spreadOf(of(ours)), other: spreadOf(of(other)), unit: 'ms', ratio: ratios(of(ours), of(other)) });
  const decode = of('plain decode 64');
  const read = decode.map((ms) => (1000 * memory.bytes) / ms / 1e9);
  return [
    ...CONTEXTS.map((context) => against(`plain decode at ${context} against llama.cpp (${best(`decode ${context}`)})`, `plain decode ${context}`, `${best(`decode ${context}`)} decode ${context}`, '<= 1.1', peers.llama)),
    { measure: 'share of measured memory bandwidth, weights at 64', goal: '>= 0.6', ours: spreadOf(read), other: spreadOf(memory.bandwidths.map((bytes) => bytes / 1e9)), unit: 'GB/s', ratio: ratios(read, memory.bandwidths.map((bytes) => bytes / 1e9)) },
    ...CONTEXTS.map((context) => own(`TaH decode at ${context}, ${HARD_SHARE} hard, against own plain`, `tah decode ${context}`, `plain decode ${context}`, '<= 1.05')),
    own(`the same at ${CONTEXTS[0]} without a second pass`, 'tah decode easy', `plain decode ${CONTEXTS[0]}`, ''),
    own(`the same at ${CONTEXTS[0]} with one at every token`, 'tah decode hard', `plain decode ${CONTEXTS[0]}`, ''),
    against(`prefill of ${PREFILL} against llama.cpp (${best('prefill')})`, 'plain prefill', `${best('prefill')} prefill`, '<= 1.1', peers.llama),
    own(`TaH prefill of ${PREFILL}, decider at every row, against own plain`, 'tah prefill', 'plain prefill', '<= 1.4'),
    own(`the same with ${HARD_SHARE} second passes`, 'tah prefill hard', 'plain prefill', ''),
    ...CONTEXTS.map((context) => against(`PyTorch loop (bf16) against TaH decode at ${context}`, `torch decode ${context}`, `tah decode ${context}`, '>= 8', peers.torch)),
  ];
}
