/**
 * One chat completion: a turn at the engine, its events as they come, the answer streamed or whole. A client that goes
 * away ends the run; one that does not read holds nobody up for long. Knows the engine by its contract only.
 */

import { randomInt, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { EngineApi, GenerateEvent, GenerateRequest, ProviderChoice, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import { chunk, completion, contentLogprobs, finishReason, tahStart, usageChunk } from './answer.ts';
import type { AnswerHead, EndEvent, ServedModel } from './answer.ts';
import { Refusal } from './refusal.ts';
import type { ChatRequest } from './request.ts';
import { StopFilter } from './stopFilter.ts';
import type { Released } from './stopFilter.ts';

export interface CompletionContext {
  readonly engine: Pick<EngineApi, 'generate'>;
  readonly model: ServedModel;
  readonly policy: ThinkingPolicy;
  readonly provider: ProviderChoice;
  /** How long a client may leave what it gets unread. */
  readonly stallMs: number;
  /** Fires when the client is gone or the server ends. */
  readonly signal: AbortSignal;
}

/** Runs the request and answers it. What is thrown before the first byte can still become a refusal. */
export async function answerChat(request: ChatRequest, response: ServerResponse, context: CompletionContext): Promise<void> {
  const head: AnswerHead = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: context.model };
  const events = context.engine.generate(engineRequest(request, context), context.signal);
  if (request.stream) await stream(request, head, events, new EventStream(response, context));
  else await whole(request, head, events, response);
}

function engineRequest(request: ChatRequest, { model, policy, provider }: CompletionContext): GenerateRequest {
  const { tah, topLogprobs, enableThinking } = request;
  return {
    model: model.info.path,
    prompt: { kind: 'chat', messages: request.messages, ...(enableThinking === null ? {} : { enableThinking }) },
    policy: tah?.policy ?? (model.info.maxIter === 1 ? { kind: 'never' } : policy),
    // Without a seed two requests may differ, as a client expects of a temperature; the seed taken is told with `tah`.
    sampling: { seed: randomInt(2 ** 32), ...request.sampling },
    maxTokens: request.maxTokens ?? model.info.contextLength,
    stop: request.stop,
    topCandidates: Math.max(1, topLogprobs ?? 0, tah?.topCandidates ?? 0),
    provider,
    ...(tah === null || tah.forced.length === 0 ? {} : { forced: tah.forced }),
  };
}

async function stream(request: ChatRequest, head: AnswerHead, events: AsyncIterable<GenerateEvent>, out: EventStream): Promise<void> {
  const wantsTah = request.tah !== null;
  const filter = new StopFilter<TokenEvent>(request.stop);
  const sendAll = async (pieces: readonly Released<TokenEvent>[]): Promise<void> => {
    for (const { text, value, cut } of pieces) {
      const logprobs = request.topLogprobs === null ? undefined : cut ? [] : contentLogprobs(value, request.topLogprobs);
      // A token without text is worth a chunk only to those who want its data.
      if (text === '' && !wantsTah && (logprobs ?? []).length === 0) continue;
      await out.send(chunk(head, { delta: { content: text }, ...(logprobs === undefined ? {} : { logprobs }), ...(wantsTah ? { tah: { type: 'token', token: value } } : {}) }));
    }
  };
  for await (const event of events) {
    switch (event.type) {
      case 'loading':
        break;
      case 'start':
        await out.send(chunk(head, { delta: { role: 'assistant', content: '' }, ...(wantsTah ? { tah: tahStart(event) } : {}) }));
        break;
      case 'token':
        await sendAll(filter.push({ text: event.token.text, value: event.token }));
        break;
      case 'end':
        await sendAll(filter.end());
        await out.send(chunk(head, { delta: {}, finish: finishReason(event.reason), ...(wantsTah ? { tah: event } : {}) }));
        if (request.includeUsage) await out.send(usageChunk(head, event));
        out.end();
        return;
      default:
        event satisfies never;
    }
  }
  throw new Error('the engine ended without an end event');
}

async function whole(request: ChatRequest, head: AnswerHead, events: AsyncIterable<GenerateEvent>, response: ServerResponse): Promise<void> {
  const filter = new StopFilter<TokenEvent>(request.stop);
  const pieces: Released<TokenEvent>[] = [];
  let start: object | null = null;
  let end: EndEvent | null = null;
  for await (const event of events) {
    if (event.type === 'start') start = tahStart(event);
    else if (event.type === 'token') pieces.push(...filter.push({ text: event.token.text, value: event.token }));
    else if (event.type === 'end') end = event;
  }
  if (end === null) throw new Error('the engine ended without an end event');
  pieces.push(...filter.end());
  const top = request.topLogprobs;
  const body = completion(head, {
    text: pieces.map((piece) => piece.text).join(''),
    logprobs: top === null ? null : pieces.flatMap((piece) => (piece.cut ? [] : contentLogprobs(piece.value, top))),
    end,
    tah: request.tah === null ? null : { start, tokens: pieces.map((piece) => piece.value), end },
  });
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Server-sent events to one client, at the client's speed. */
class EventStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly context: Pick<CompletionContext, 'signal' | 'stallMs'>,
  ) {}

  async send(value: object): Promise<void> {
    const { response } = this;
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    if (!response.write(`data: ${JSON.stringify(value)}\n\n`)) await this.drained();
  }

  end(): void {
    this.response.end('data: [DONE]\n\n');
  }

  /** @throws Refusal when the client reads nothing for too long; an abort ends the wait, the engine says the rest */
  private drained(): Promise<void> {
    const { response, context } = this;
    return new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        response.off('drain', onDrain);
        context.signal.removeEventListener('abort', onDrain);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onDrain = (): void => {
        finish();
      };
      const timer = setTimeout(() => {
        response.destroy();
        finish(new Refusal(408, 'The client did not read its answer.', { code: 'client_stalled' }));
      }, context.stallMs);
      response.once('drain', onDrain);
      context.signal.addEventListener('abort', onDrain, { once: true });
      if (context.signal.aborted) onDrain();
    });
  }
}

/** An error in the midst of a stream, as OpenAI's libraries read it. */
export function endWithError(response: ServerResponse, refusal: Refusal): void {
  response.end(`data: ${JSON.stringify(refusal.body)}\n\n`);
}
