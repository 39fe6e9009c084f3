/**
 * `.tahrun.json`, format `tah-run/1`: a run that has ended, whole, so that a view needs no engine for it. Its first
 * line holds everything but the tokens, so that a list of files reads no more of each. Beside the problem and the text
 * nothing private goes in: no path, no address. What is read is believed only after every field was checked.
 * Knows no editor and no disk; the command line uses it too.
 */

import * as z from 'zod';
import type { AnswerCheck } from '../protocol/answer.ts';
import type { ModelInfo, ProviderInfo, TokenEvent } from '../protocol/engine.ts';
import { isErrorCode, phrase, TahError } from '../protocol/errors.ts';
import type { ErrorData } from '../protocol/errors.ts';
import { isReasonKind } from '../protocol/reasons.ts';
import type { Reason, Told } from '../protocol/reasons.ts';
import { hasEnded } from '../protocol/run.ts';
import type { Run, RunHead } from '../protocol/run.ts';

export const RUN_FILE_EXTENSION = '.tahrun.json';
export const LARGEST_RUN_FILE = 64 * 1024 * 1024;

const FORMAT = 'tah-run/1';
const FAMILY = /^tah-run\/(\d{1,6})$/;
/** Stands for log 0, which JSON has no number for. */
const LOG_ZERO = -1e9;

const MOST_TOKENS = 200_000;
const longText = z.string().max(4_000_000);
const text = z.string().max(100_000);
const count = z.number().int().min(0).max(2 ** 40);
const milliseconds = z.number().min(0);
const passes = z.number().int().min(0).max(64);
const tokenId = z.number().int().min(-1).max(2 ** 31);
const probability = z.number().min(0).max(1);
const scores = z.array(probability).max(64);
const rows = z.array(z.number().int().min(-1000).max(64).nullable()).max(2 * MOST_TOKENS);
const threshold = z.number().exactOptional();

const POLICY = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('decider'), threshold }),
  z.object({ kind: z.literal('never') }),
  z.object({ kind: z.literal('always') }),
  z.object({ kind: z.literal('depths'), iterCounts: rows, threshold }),
  z.object({ kind: z.literal('oracle'), labels: z.array(z.number().int().min(-1000).max(64)).max(2 * MOST_TOKENS) }),
  z.object({ kind: z.literal('self-oracle') }),
]);

const CHANGE = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('threshold'), threshold: z.number() }),
  z.object({ kind: z.literal('passes'), iterCount: passes }),
  z.object({ kind: z.literal('token'), id: tokenId, text }),
]);

const PROVIDER = z.enum(['cpu', 'cuda', 'dml', 'webgpu', 'coreml', 'endpoint']);

const MODEL = z.object({
  id: text,
  name: text,
  architecture: z.enum(['qwen3', 'llama']).nullable(),
  parameters: count.nullable(),
  quantization: z.enum(['fp32', 'int8', 'int4']).nullable(),
  maxIter: z.number().int().min(1).max(64),
  threshold: z.number().nullable(),
  contextLength: count.nullable(),
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 of 64 hexadecimal digits was expected').nullable(),
  endpoint: z.object({ name: text, sends: z.enum(['text', 'logprobs', 'tah']) }).exactOptional(),
});

const words = z.array(text).max(10_000);
const OUTSIDE = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('nothing-asked') }),
  z.object({ kind: z.literal('words'), words }),
  z.object({ kind: z.literal('signs'), signs: words }),
  z.object({ kind: z.literal('number'), number: text, beside: text, largest: z.number() }),
  z.object({ kind: z.literal('together'), pair: z.tuple([text, text]) }),
  z.object({ kind: z.literal('too-long') }),
  z.object({ kind: z.literal('refused') }),
]);
const SCOPE = z.discriminatedUnion('state', [
  z.object({ state: z.literal('inside') }),
  z.object({ state: z.literal('outside'), reason: OUTSIDE, subjects: z.array(z.object({ id: text, title: text, example: text, range: text })).max(1000) }),
]);

const SAID = z.object({ kind: z.string().refine(isReasonKind), args: z.array(text).max(20).exactOptional() });
const REASON = SAID.extend({ args: z.array(z.union([text, SAID])).max(20).exactOptional() });
const WHY = z.array(REASON).max(100);
/** What can't be read of it is left out: the English is there. */
const TOLD = { reason: text, why: z.unknown().exactOptional() };

const HEAD = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/, 'an id of letters, digits, _ and - was expected'),
  createdAt: z.iso.datetime(),
  kind: z.enum(['solve', 'explain', 'measure']),
  problem: longText,
  branch: z.object({ parentId: z.string().regex(/^[\w-]{1,100}$/), index: count, change: CHANGE }).nullable(),
  comparison: z.object({ id: text, role: z.enum(['never', 'decider', 'always', 'oracle']) }).nullable(),
  policy: POLICY,
  sampling: z.object({ temperature: z.number().min(0), topK: count, topP: z.number(), minP: z.number(), seed: z.number().int() }).nullable(),
  model: MODEL.nullable(),
  provider: z.object({ provider: PROVIDER, ...TOLD, rejected: z.array(z.object({ provider: z.enum(['cpu', 'cuda', 'dml', 'webgpu', 'coreml']), ...TOLD })).max(20) }).nullable(),
  state: z.enum(['done', 'stopped', 'failed']),
  endReason: z.enum(['stop-token', 'stop-text', 'max-tokens', 'context-limit', 'end-of-text']).nullable(),
  error: z.object({ code: z.string().max(100), message: text, hint: text.exactOptional(), subject: text.exactOptional() }).nullable(),
  stats: z
    .object({ promptTokens: count, tokens: count, passes: count, passesPerToken: z.number().min(0), loadMs: milliseconds, prefillMs: milliseconds, decodeMs: milliseconds, tokensPerSecond: z.number().min(0) })
    .nullable(),
  answer: longText.nullable(),
  check: z.object({ state: z.enum(['verified', 'contradicted', 'unchecked']), ...TOLD }).nullable(),
  scope: SCOPE.exactOptional(),
});

const CANDIDATES = z.array(z.object({ id: tokenId, text, logprob: z.number() })).max(100);

const TOKEN = z.object({
  index: count,
  position: count,
  id: tokenId,
  text,
  iterCount: passes,
  continueProbability: scores,
  before: CANDIDATES,
  /** Left out where it is `before`. */
  after: CANDIDATES.exactOptional(),
  logprob: z.number().nullable(),
  entropyBefore: z.number().nullable(),
  entropyAfter: z.number().nullable(),
  elapsedMs: milliseconds.nullable(),
  special: z.boolean(),
});

const PROMPT_TOKEN = z.object({ position: count, id: tokenId, text, iterCount: passes, continueProbability: scores });

const FILE = z.object({
  format: z.literal(FORMAT),
  run: HEAD,
  prompt: z.array(PROMPT_TOKEN).max(MOST_TOKENS),
  tokens: z
    .array(TOKEN)
    .max(MOST_TOKENS)
    .refine((tokens) => tokens.every((token, i) => token.index === i), 'tokens must be in the order of their indices'),
});

/**
 * @throws TahError input.empty where the run goes on still; run-file.cannot-write where it is too large for a reader;
 *   internal where a reader would refuse it: a run is not lost by being written wrong
 */
export function writeRunFile(run: Run): Uint8Array {
  if (!hasEnded(run)) throw new TahError('input.empty', phrase('The run is still going on.'), { hint: phrase('Wait for its end, or stop it; then save it.') });
  const { prompt, tokens, ...head } = run;
  const content = { format: FORMAT, run: publicHead(head), prompt, tokens: tokens.map(fileToken) };
  const known = FILE.safeParse(content);
  if (!known.success) throw new TahError('internal', `The run does not fit its file: ${firstIssue(known.error)}.`, { cause: known.error });
  const first = JSON.stringify({ format: content.format, run: content.run });
  const list = (values: readonly unknown[]): string => (values.length === 0 ? '[]' : `[\n${values.map((value) => JSON.stringify(value)).join(',\n')}\n]`);
  const file = new TextEncoder().encode(`${first.slice(0, -1)},\n"prompt":${list(prompt)},\n"tokens":${list(content.tokens)}}\n`);
  if (file.length <= LARGEST_RUN_FILE) return file;
  throw new TahError('run-file.cannot-write', phrase('The run has {0} tokens, which are too many for a run file of at most 64 MB.', tokens.length), { hint: phrase('Solve with a smaller limit of tokens, or export it as CSV.') });
}

/** @param name how the file is called in a refusal @throws TahError run-file.invalid, run-file.newer-version */
export function readRunFile(bytes: Uint8Array, name: string): Run {
  if (bytes.length > LARGEST_RUN_FILE) throw invalid(name, `it has ${Math.ceil(bytes.length / 2 ** 20)} MB; at most 64 MB are read`);
  const json = parseJson(bytes, name);
  checkFormat(json, name);
  const { run, prompt, tokens } = checked(FILE, json, name);
  return { ...readHead(run), prompt, tokens: tokens.map((token) => ({ ...token, after: token.after ?? token.before })) };
}

/**
 * Everything but prompt and tokens.
 * @param firstLine of a file that `writeRunFile` made
 * @throws TahError run-file.invalid, run-file.newer-version
 */
export function readRunHead(firstLine: string, name: string): Omit<RunHead, 'prompt'> {
  const json = parseJson(new TextEncoder().encode(`${firstLine.trimEnd().replace(/,$/, '')}}`), name);
  checkFormat(json, name);
  return readHead(checked(FILE.pick({ format: true, run: true }), json, name).run);
}

function readHead({ model, provider, error, check, ...head }: z.output<typeof HEAD>): Omit<RunHead, 'prompt'> {
  return { ...head, provider: provider === null ? null : { ...readTold(provider), rejected: provider.rejected.map(readTold) }, check: check === null ? null : readCheck(check), model: model === null ? null : readModel(model), error: error === null ? null : { ...error, code: isErrorCode(error.code) ? error.code : 'internal' } };
}

/** Reasons that only a newer version knows stay in English. */
function readCheck({ why, ...check }: NonNullable<z.output<typeof HEAD>['check']>): AnswerCheck {
  const known = WHY.safeParse(why);
  return known.success ? { ...check, why: known.data } : check;
}

/** The same of one reason. */
function readTold<T extends { readonly why?: unknown }>({ why, ...told }: T): Omit<T, 'why'> & { readonly why?: Reason } {
  const known = REASON.safeParse(why);
  return known.success ? { ...told, why: known.data } : told;
}

function readModel({ endpoint, ...model }: z.output<typeof MODEL>): ModelInfo {
  // Where the model is on this machine is looked up by its hash when somebody needs it.
  return { ...model, path: '', ...(endpoint === undefined ? {} : { endpoint: { ...endpoint, host: '' } }) };
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(name, error instanceof SyntaxError ? 'it is no JSON, or cut off' : 'it is no UTF-8 text', error);
  }
}

function checkFormat(json: unknown, name: string): void {
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  if (format === FORMAT) return;
  const version = typeof format === 'string' ? FAMILY.exec(format)?.[1] : undefined;
  if (version === undefined || version === '0') throw invalid(name, 'its "format" is not that of a run');
  throw new TahError('run-file.newer-version', phrase('{0} was written by a newer version of Think-at-Hard (format tah-run/{1}; this one reads {2}).', name, version, FORMAT), { file: name, hint: phrase('Update the extension.') });
}

function checked<Schema extends z.ZodType>(schema: Schema, json: unknown, name: string): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(name, firstIssue(parsed.error), parsed.error);
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? 'it has a wrong content' : `${issue.path.join('.') || 'its content'}: ${issue.message}`;
}

function invalid(name: string, reason: string, cause?: unknown): TahError {
  return new TahError('run-file.invalid', phrase('{0} is not a run file that can be shown: {1}.', name, reason), { file: name, hint: phrase('Save the run again, or choose another file.'), cause });
}

function fileToken({ after, ...token }: TokenEvent): unknown {
  const before = token.before.map(finite);
  const same = after.length === before.length && after.every((candidate, i) => candidate.id === before[i]?.id && candidate.logprob === token.before[i]?.logprob);
  return { ...token, before, logprob: token.logprob === -Infinity ? LOG_ZERO : token.logprob, ...(same ? {} : { after: after.map(finite) }) };
}

function finite<T extends { readonly logprob: number }>(candidate: T): T {
  return candidate.logprob === -Infinity ? { ...candidate, logprob: LOG_ZERO } : candidate;
}

/** Without what would tell of the machine: folders, addresses, files that an error names. */
function publicHead({ model, provider, error, ...head }: Omit<RunHead, 'prompt'>): unknown {
  return { ...head, model: model === null ? null : publicModel(model), provider: provider === null ? null : publicProvider(provider, model?.endpoint?.host ?? ''), error: error === null ? null : publicError(error) };
}

function publicModel({ endpoint, ...model }: ModelInfo): unknown {
  return { ...model, path: undefined, ...(endpoint === undefined ? {} : { endpoint: { name: endpoint.name, sends: endpoint.sends } }) };
}

function publicProvider(provider: ProviderInfo, host: string): unknown {
  const shown = (reason: string): string => withoutPaths(host === '' ? reason : reason.replaceAll(host, '…'));
  const publicReason = ({ kind, args }: Reason): Reason => (args === undefined ? { kind } : { kind, args: args.map((part) => (typeof part === 'string' ? shown(part) : publicReason(part))) });
  const publicTold = ({ reason, why }: Told): Told => (why === undefined ? { reason: shown(reason) } : { reason: shown(reason), why: publicReason(why) });
  return { provider: provider.provider, ...publicTold(provider), rejected: provider.rejected.map((other) => ({ provider: other.provider, ...publicTold(other) })) };
}

function publicError({ code, message, hint, subject, file }: ErrorData): unknown {
  const shown = (sentence: string): string => withoutPaths(file === undefined || file === '' ? sentence : sentence.replaceAll(file, file.split(/[\\/]/).at(-1) ?? ''));
  return { code, message: shown(message), ...(hint === undefined ? {} : { hint: shown(hint) }), ...(subject === undefined ? {} : { subject: shown(subject) }) };
}

/** Absolute paths of any system become their last part. */
export function withoutPaths(sentence: string): string {
  return sentence.replaceAll(/(?<![\w./])(?:[A-Za-z]:[\\/]|\\\\|~?\/(?!\/))(?:[^\s\\/"'<>|:]+[\\/])+/g, '…/');
}
