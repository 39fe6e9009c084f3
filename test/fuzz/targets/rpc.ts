/**
 * Messages between extension host and engine process, damaged: to the engine (a real one, with a tiny model) and from it.
 * Each request is answered or the connection says what is wrong with it; what is asked afterwards is answered still.
 */

import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AbstractMessageReader, AbstractMessageWriter, createMessageConnection, type DataCallback, type Disposable, type Message, type MessageConnection } from 'vscode-jsonrpc/node';
import { createEngine } from '../../../src/engine/engine.ts';
import { serve } from '../../../src/engine/server.ts';
import { loadTokenizer } from '../../../src/engine/text/tokenizer.ts';
import { createImporter, importCheckpoint } from '../../../src/importer/importer.ts';
import { isErrorCode, TahError } from '../../../src/protocol/errors.ts';
import { errorDataOf, RPC_FAILURE, STREAM_EVENTS } from '../../../src/protocol/rpc.ts';
import { StreamClient } from '../../../src/protocol/streams.ts';
import { keptToken } from '../../fixtures/keptRun.ts';
import { inventJson, mutateJson } from '../mutate/json.ts';
import { Finding, textOf, type Input, type Outcome, type Room, type Subject } from '../target.ts';

/** One end of a connection whose other end is this file. */
class Inbox extends AbstractMessageReader {
  private deliver: DataCallback = () => undefined;

  listen(callback: DataCallback): Disposable {
    this.deliver = callback;
    return { dispose: () => { this.deliver = () => undefined; } };
  }

  receive(message: unknown): void {
    this.deliver(message as Message);
  }
}

class Outbox extends AbstractMessageWriter {
  readonly sent: unknown[] = [];

  write(message: Message): Promise<void> {
    // What goes over the channel is JSON.
    this.sent.push(JSON.parse(JSON.stringify(message)));
    return Promise.resolve();
  }

  end(): void {
    this.sent.length = 0;
  }
}

interface End {
  readonly connection: MessageConnection;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
}

function openEnd(): End {
  const [inbox, outbox] = [new Inbox(), new Outbox()];
  const quiet = (): void => undefined;
  const connection = createMessageConnection(inbox, outbox, { error: quiet, warn: quiet, info: quiet, log: quiet });
  connection.onError(quiet);
  return { connection, inbox, outbox };
}

/** Stands for the folder that is this target's. */
const FOLDER = '@folder';
const MODEL = `${FOLDER}/model`;
const GENERATE = { policy: { kind: 'decider', threshold: 0.5 }, sampling: { temperature: 0.6, topK: 20, topP: 0.95, minP: 0, seed: 7 }, maxTokens: 3, stop: ['x'], topCandidates: 5, provider: 'cpu', forced: [5] };

export async function open({ root, folder }: Room): Promise<Subject> {
  const model = path.join(folder, 'model');
  // In a kept input it has no name of this machine.
  const here = JSON.stringify(folder).slice(1, -1);
  const checkpoint = path.join(root, 'test/golden/vectors/tiny-tied/ckpt');
  for await (const event of importCheckpoint({ checkpoint, out: model, quantization: 'fp32' }, {})) {
    if (event.type === 'done' && event.out !== model) throw new Error(`imported to ${event.out}`);
  }
  const engine = createEngine();
  const requests = [
    ['engine/hello', { protocol: 1, build: 'x' }], ['engine/status', {}], ['engine/load', { model: MODEL, provider: 'cpu' }], ['engine/unload', {}], ['engine/count-tokens', { model: MODEL, prompt: { kind: 'text', text: 'x = 1' } }],
    ['engine/generate', { stream: 1, request: { model: MODEL, prompt: { kind: 'text', text: 'x = 1' }, ...GENERATE } }], ['engine/generate', { stream: 2, request: { model: MODEL, prompt: { kind: 'chat', messages: [{ role: 'user', content: 'hi' }], enableThinking: false }, ...GENERATE } }], ['engine/generate', { stream: 3, request: { model: MODEL, prompt: { kind: 'tokens', ids: [1, 2, 3] }, ...GENERATE, policy: { kind: 'depths', iterCounts: [1, null, 2] } } }],
    ['engine/measure', { stream: 4, request: { model: MODEL, text: 'x = 1', after: { kind: 'text', text: 'Solve' }, policy: { kind: 'oracle', labels: [1, 2] }, topCandidates: 3, provider: 'cpu' } }], ['importer/import', { stream: 5, request: { checkpoint: `${FOLDER}/none`, out: `${FOLDER}/out`, quantization: 'int8', replace: false, name: 'n' } }],
  ] as const;
  const toEngine = requests.map(([method, params]): Input => ({ part: 'to the engine', data: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) }));
  const fromEngine = [
    { jsonrpc: '2.0', id: 1, result: null }, { jsonrpc: '2.0', id: 1, error: { code: RPC_FAILURE, message: 'It failed.', data: { code: 'engine.busy', message: 'It is busy.', hint: 'Wait.', file: 'f', subject: 's' } } }, { jsonrpc: '2.0', method: STREAM_EVENTS, params: { stream: 1, events: [{ type: 'token', token: keptToken(0, 'x') }, { type: 'loading', model: 'm' }] } }, { jsonrpc: '2.0', id: 0, result: { protocol: 1, build: 'x', pid: 1, node: '20', runtime: 'Node' } },
  ].map((message): Input => ({ part: 'from the engine', data: JSON.stringify(message) }));
  const seeds = [...toEngine, ...fromEngine];
  const methods = [...requests.map(([method]) => method), STREAM_EVENTS, '$/cancelRequest', '__proto__'];
  return {
    seeds,
    mutate: (seed, random) => ({ part: seed.part, data: mutateJson(textOf(seed), random) }),
    invent: (random) => ({ part: random.pick(['to the engine', 'from the engine']), data: random.chance(0.3) ? inventJson(random) : `{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(random.pick(methods))},"params":${random.chance(0.5) ? inventJson(random) : `{"stream":1,"request":${inventJson(random)}}`}}` }),
    run: (input) => {
      const message = parsed(textOf(input).replaceAll(FOLDER, here));
      // The channel itself refuses what is no JSON object: Node's IPC parses it, and the reader takes messages only.
      if (typeof message !== 'object' || message === null) return 'refused';
      return input.part === 'to the engine' ? toTheEngine(engine, message, folder) : fromTheEngine(message);
    },
    close: () => engine.unload(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

async function toTheEngine(engine: ReturnType<typeof createEngine>, message: object, folder: string): Promise<Outcome> {
  // An import writes where it is told to, and that is the user's choice; here it is this folder.
  if (leavesFolder(message, folder)) return 'refused';
  const { connection, inbox, outbox } = openEnd();
  const served = serve(engine, createImporter({ checkTokenizer: loadTokenizer }), connection, { logError: () => undefined });
  connection.listen();
  inbox.receive(message);
  inbox.receive({ jsonrpc: '2.0', id: 'after', method: 'engine/hello', params: { protocol: 1, build: 'x' } });
  const id: unknown = 'id' in message ? message.id : undefined;
  const isRequest = 'method' in message && typeof message.method === 'string' && (typeof id === 'string' || Number.isFinite(id));
  const answers = (): readonly Answer[] => outbox.sent.filter((sent): sent is Answer => typeof sent === 'object' && sent !== null && 'id' in sent);
  const isDone = (): boolean => answers().some((answer) => answer.id === 'after') && (!isRequest || answers().some((answer) => answer.id === id && answer.id !== 'after'));
  // A long run is cut off, as its user would stop it.
  for (let turns = 0; !isDone() && turns < 20_000; turns++) {
    if (turns === 2000) void served.abort();
    await turn();
  }
  await served.abort();
  for (let turns = 0; !isDone() && turns < 100; turns++) await turn();
  connection.dispose();
  if (!answers().some((answer) => answer.id === 'after')) throw new Finding('what is asked after it gets no answer');
  const answer = answers().find((one) => one.id === id);
  if (isRequest && answer === undefined && id !== 'after') throw new Finding('the request gets no answer');
  if (answer?.error === undefined) return 'accepted';
  if (answer.error.code !== RPC_FAILURE) return 'refused';
  const data = errorDataOf(answer.error);
  if (data === null || !isErrorCode(data.code)) throw new Finding('the engine answers with an error that has no code of ours');
  throw TahError.fromData(data);
}

interface Answer {
  readonly id: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

async function fromTheEngine(message: object): Promise<Outcome> {
  const { connection, inbox } = openEnd();
  const streams = new StreamClient(connection, (error) => {
    const data = errorDataOf(error);
    return Promise.resolve(data !== null && isErrorCode(data.code) ? TahError.fromData(data) : new TahError('engine.crashed', 'The engine gave no answer.'));
  });
  connection.listen();
  const stream = streams.open('engine/generate', { model: 'm', prompt: { kind: 'text', text: 'x' }, policy: { kind: 'never' }, maxTokens: 1 });
  const read = (async () => {
    for await (const event of stream) if (typeof event !== 'object') return;
  })();
  // It is waited for below; until then a failure has its reader.
  read.catch(() => undefined);
  inbox.receive(message);
  await turn();
  // The engine is gone: whatever it said, its stream ends.
  inbox.receive({ jsonrpc: '2.0', method: STREAM_EVENTS, params: { stream: 1, events: [] } });
  connection.dispose();
  await read;
  return 'accepted';
}

function leavesFolder(message: object, folder: string): boolean {
  const params: unknown = 'params' in message ? message.params : undefined;
  const request: unknown = typeof params === 'object' && params !== null && 'request' in params ? params.request : params;
  if (typeof request !== 'object' || request === null) return false;
  return ['checkpoint', 'out', 'model'].some((key) => {
    const value: unknown = Reflect.get(request, key);
    return typeof value === 'string' && !path.resolve(value).startsWith(folder + path.sep);
  });
}
