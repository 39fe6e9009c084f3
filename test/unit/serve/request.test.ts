/** What a request may ask: everything else is refused by name, never quietly left undone. */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/serve/refusal.ts';
import { readChatRequest } from '../../../src/serve/request.ts';

const MESSAGES = [{ role: 'user', content: 'hi' }];

function refusal(body: unknown): { status: number; message: string; param: string | null; code: string | null; type: string } {
  try {
    readChatRequest(body);
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, ...error.body.error };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('readChatRequest', () => {
  it('reads sampling, lengths, stops and messages', () => {
    const messages = [{ role: 'developer', content: 'be short' }, { role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] }];
    const request = readChatRequest({ model: 'm', messages, temperature: 0, top_p: 0.9, top_k: -1, min_p: 0.1, seed: 7, max_completion_tokens: 5, stop: 'x', logprobs: true, top_logprobs: 3, user: 'me', store: false, chat_template_kwargs: { enable_thinking: false } });
    expect(request).toMatchObject({
      messages: [{ role: 'system', content: 'be short' }, { role: 'user', content: 'a\nb' }],
      sampling: { temperature: 0, topP: 0.9, topK: 0, minP: 0.1, seed: 7 }, maxTokens: 5, stop: ['x'], topLogprobs: 3, stream: false, enableThinking: false, tah: null,
    });
  });

  it('leaves what is not given to the model', () => {
    expect(readChatRequest({ model: 'm', messages: MESSAGES, temperature: null, stop: null })).toMatchObject({ sampling: {}, maxTokens: null, stop: [], topLogprobs: null });
  });

  it('reads the extension', () => {
    expect(readChatRequest({ model: 'm', messages: MESSAGES, tah: true }).tah).toEqual({ policy: null, topCandidates: 10, forced: [] });
    expect(readChatRequest({ model: 'm', messages: MESSAGES, tah: { policy: { kind: 'depths', iterCounts: [1, null, 2] }, top_candidates: 5, forced: [3] } }).tah).toEqual({ policy: { kind: 'depths', iterCounts: [1, null, 2] }, topCandidates: 5, forced: [3] });
  });

  it.each([
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools', 'unsupported_parameter'],
    [{ functions: [{ name: 'f' }] }, 'functions', 'unsupported_parameter'],
    [{ tool_choice: 'auto' }, 'tool_choice', 'unsupported_parameter'],
    [{ n: 2 }, 'n', 'unsupported_parameter'],
    [{ frequency_penalty: 0.5 }, 'frequency_penalty', 'unsupported_parameter'],
    [{ logit_bias: { 5: 1 } }, 'logit_bias', 'unsupported_parameter'],
    [{ response_format: { type: 'json_object' } }, 'response_format', 'unsupported_parameter'],
    [{ store: true }, 'store', 'unsupported_parameter'],
    [{ temprature: 1 }, 'temprature', 'unknown_parameter'],
    [{ tah: { polcy: 1 } }, 'tah', 'unknown_parameter'],
    [{ temperature: 3 }, 'temperature', 'invalid_value'],
    [{ max_tokens: 0 }, 'max_tokens', 'invalid_value'],
    [{ max_tokens: 1, max_completion_tokens: 2 }, 'max_tokens', 'invalid_value'],
    [{ top_logprobs: 2 }, 'top_logprobs', 'invalid_value'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', 'invalid_value'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', 'invalid_value'],
    [{ stop: [''] }, 'stop', 'invalid_value'],
    [{ seed: 1.5 }, 'seed', 'invalid_value'],
    [{ stream_options: { include_usage: true } }, 'stream_options', 'invalid_value'],
    [{ messages: [] }, 'messages', 'invalid_value'],
  ])('refuses %j', (part, param, code) => {
    const refused = refusal({ model: 'm', messages: MESSAGES, ...part });
    expect(refused).toMatchObject({ status: 400, type: 'invalid_request_error', code });
    expect(refused.param?.split('.')[0]).toBe(param);
  });

  it.each([
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }, /image_url/],
    [{ role: 'tool', content: 'x', tool_call_id: '1' }, /tools/],
    [{ role: 'assistant', content: null }, /content/],
    [{ role: 'king', content: 'x' }, /role/],
  ])('refuses the message %j', (message, words) => {
    const refused = refusal({ model: 'm', messages: [...MESSAGES, message] });
    expect(refused.message).toMatch(words);
    expect(refused.param).toMatch(/^messages\.1/);
  });

  it.each([null, [], 'text', 5])('refuses the body %j', (body) => {
    expect(refusal(body).status).toBe(400);
  });
});
