/**
 * The shapes of what the other process asks for, checked at the door: a message is a message, whoever sent it. Limits of
 * numbers are the engine's, which knows its model; here a number is a number. Pure.
 */

import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import type { CallName, RpcCalls, RpcStreams, StreamName } from '../protocol/rpc.ts';

const number = z.number();
const ids = z.array(number);
const provider = z.enum(['auto', 'cpu', 'cuda', 'dml', 'webgpu', 'coreml']).optional();
const folder = z.string().min(1).refine((text) => !text.includes('\0'), 'a path has no character 0');

const prompt = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('chat'), messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })), enableThinking: z.boolean().optional() }),
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('tokens'), ids }),
]);

const threshold = number.optional();
const policy = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('decider'), threshold }),
  z.object({ kind: z.literal('never') }),
  z.object({ kind: z.literal('always') }),
  z.object({ kind: z.literal('depths'), iterCounts: z.array(number.nullable()), threshold }),
  z.object({ kind: z.literal('oracle'), labels: ids }),
  z.object({ kind: z.literal('self-oracle') }),
]);

const nothing = z.object({});
const topCandidates = number.optional();

const SHAPES: Readonly<Record<CallName | StreamName, z.ZodType>> = {
  'engine/hello': nothing,
  'engine/status': nothing,
  'engine/unload': nothing,
  'engine/load': z.object({ model: folder, provider }),
  'engine/count-tokens': z.object({ model: folder, prompt }),
  'engine/generate': z.object({
    model: folder, prompt, policy, topCandidates, provider,
    sampling: z.object({ temperature: number, topK: number, topP: number, minP: number, seed: number }).partial().optional(),
    maxTokens: number,
    forced: ids.optional(),
    stop: z.array(z.string()).optional(),
  }),
  'engine/measure': z.object({ model: folder, text: z.string(), after: prompt.optional(), policy, topCandidates, provider }),
  'importer/import': z.object({ checkpoint: folder, out: folder, quantization: z.enum(['fp32', 'int8', 'int4']), replace: z.boolean().optional(), name: z.string().optional(), record: z.object({ download: z.object({ hub: z.string(), repository: z.string(), revision: z.string() }).nullable() }).optional() }),
};

type RequestOf<Name> = Name extends CallName ? RpcCalls[Name]['params'] : Name extends StreamName ? RpcStreams[Name]['request'] : never;

/** What is asked, as it is, once its shape is known to be right. @throws TahError engine.bad-request that names the field */
export function checkRequest<Name extends CallName | StreamName>(name: Name, request: unknown): RequestOf<Name> {
  const parsed = SHAPES[name].safeParse(request);
  if (parsed.success) return request as RequestOf<Name>;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  throw new TahError('engine.bad-request', `The request ${name} has a wrong ${field === '' ? 'form' : field}: ${issue?.message ?? 'it is not known here'}.`, { subject: field, hint: 'Reload the window.' });
}
