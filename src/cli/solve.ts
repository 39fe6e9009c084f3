/** `tah solve`: a worked solution, which tokens were sent to a second pass, the answer, whether it was checked, the cost. */
import path from 'node:path';
import { checkAnswer } from '../answer/checker.ts';
import { extractAnswer } from '../answer/extract.ts';
import { judgeScope } from '../answer/scopeFile.ts';
import { readAddress } from '../endpoint/address.ts';
import { createEndpointEngine } from '../endpoint/endpointEngine.ts';
import { answerCheck } from '../protocol/answer.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import { endpointReference } from '../protocol/engine.ts';
import type { EngineApi, GenerateEvent, GenerateRequest, ProviderChoice, SamplingOptions, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { reason } from '../protocol/reasons.ts';
import { firstScore, missingData, secondThought } from '../protocol/run.ts';
import type { ScopeVerdict } from '../protocol/scope.ts';
import { localEngine } from './localEngine.ts';
import { resolveModel } from './models.ts';
import { checkSaveTarget, saveRun, type Generated } from './saveRun.ts';
import { reasonText, scopeLines } from './scopeText.ts';
import type { Terminal } from './terminal.ts';

export interface SolveOptions {
  /** Model folder; with an endpoint the name of its model. */
  readonly model?: string;
  /** Base URL of a server of OpenAI's protocol. */
  readonly endpoint?: string;
  readonly policy: ThinkingPolicy;
  readonly sampling: Partial<SamplingOptions>;
  readonly maxTokens: number;
  readonly provider: ProviderChoice;
  /** False asks the chat template for an answer without a thinking part. */
  readonly thinking: boolean;
  /** Run file to write. */
  readonly save?: string;
}

/** Beside dist/cli.cjs. */
const CHECK_WORKER = path.join(import.meta.dirname, 'checkWorker.cjs');
/** Sent tokens that are listed for people; all of them are in --json. */
const LISTED = 12;

export async function solve(problem: string, options: SolveOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (problem.trim() === '') throw new TahError('input.empty', 'There is no problem to solve.', { hint: 'Give one: tah solve "3x + 5 = 20".' });
  checkSaveTarget(options.save);
  const { engine, model } = await engineOf(options, terminal, signal);
  const before = await judgeScope(model, problem, null);
  if (!terminal.json) for (const line of scopeLines(before)) terminal.print(terminal.style('yellow', line));
  const solved = await generateTokens(engine, problem, model, options, terminal, signal);
  const text = solved.tokens.map((token) => token.text).join('');
  const answer = extractAnswer(text);
  const check: AnswerCheck =
    answer === null
      ? answerCheck('unchecked', [reason('no-boxed-answer')])
      : await checkAnswer(problem, answer, { workerPath: CHECK_WORKER, signal });
  const scope = before?.state === 'outside' ? before : ((await judgeScope(model, problem, text)) ?? before);
  if (options.save !== undefined) saveRun(options.save, { kind: 'solve', problem, answer, check, ...(scope === null ? {} : { scope }) }, solved);
  if (terminal.json) terminal.document(solveDocument({ problem, text, answer, check, scope, policy: options.policy, solved }));
  else printSummary(terminal, { answer, check, scope, solved });
}

/** Not an option: the command lines of programs can be seen by everyone on the machine. */
const KEY_VARIABLE = 'TAH_ENDPOINT_KEY';

async function engineOf({ endpoint, model }: SolveOptions, terminal: Terminal, signal: AbortSignal): Promise<{ readonly engine: EngineApi; readonly model: string }> {
  if (endpoint === undefined) return { engine: localEngine(terminal), model: await resolveModel(model, terminal, signal) };
  if (model === undefined) throw new TahError('input.bad-option', 'An endpoint needs the name of its model.', { hint: 'Give it with --model NAME.', subject: '--model' });
  const name = readAddress(endpoint).host;
  const key = process.env[KEY_VARIABLE]?.trim() ?? '';
  return { engine: createEndpointEngine({ endpoint: { name, url: endpoint, model }, key: () => Promise.resolve(key === '' ? null : key) }), model: endpointReference(name) };
}

async function generateTokens(engine: EngineApi, problem: string, model: string, options: SolveOptions, terminal: Terminal, signal: AbortSignal): Promise<Generated> {
  const request: GenerateRequest = {
    model,
    prompt: { kind: 'chat', messages: [{ role: 'user', content: problem }], ...(options.thinking ? {} : { enableThinking: false }) },
    policy: options.policy,
    maxTokens: options.maxTokens,
    provider: options.provider,
    sampling: options.sampling,
  };
  const progress = terminal.progress();
  const tokens: TokenEvent[] = [];
  let start: Extract<GenerateEvent, { type: 'start' }> | undefined;
  for await (const event of engine.generate(request, signal)) {
    switch (event.type) {
      case 'loading':
        progress.show('Loading the model…');
        break;
      case 'start':
        progress.done();
        start = event;
        break;
      case 'token':
        tokens.push(event.token);
        if (!terminal.json) terminal.write(event.token.iterCount > 1 ? terminal.style(['cyan', 'underline'], event.token.text) : event.token.text);
        break;
      case 'end':
        if (start === undefined) throw new Error('the engine ended a run that it had not started');
        if (!terminal.json) terminal.print('\n');
        return { start, tokens, end: event };
      default:
        event satisfies never;
    }
  }
  throw new Error('the engine ended without an end event');
}

interface Outcome {
  readonly answer: string | null;
  readonly check: AnswerCheck;
  readonly scope: ScopeVerdict | null;
  readonly solved: Generated;
}

function solveDocument({ problem, text, answer, check, scope, policy, solved }: Outcome & { problem: string; text: string; policy: ThinkingPolicy }): unknown {
  const { stats, reason } = solved.end;
  return {
    problem,
    text,
    answer,
    check,
    scope,
    passes: stats.passes,
    passesPerToken: stats.passesPerToken,
    endReason: reason,
    model: solved.start.model,
    provider: solved.start.provider,
    policy,
    sampling: solved.start.sampling,
    stats,
    tokens: solved.tokens,
  };
}

function printSummary(terminal: Terminal, { answer, check, scope, solved }: Outcome): void {
  const { stats, reason } = solved.end;
  const { model, provider } = solved.start;
  const sent = solved.tokens.filter((token) => token.iterCount > 1);
  const label = (name: string): string => terminal.style('dim', name.padEnd(13));
  const mark = { verified: terminal.style('green', '✓ verified'), contradicted: terminal.style('red', '✗ contradicted'), unchecked: terminal.style('yellow', '? could not check') }[check.state];
  terminal.print(`${label('Answer')}${answer === null ? 'none: the text has no box' : terminal.style('bold', answer)}`);
  terminal.print(`${label('Check')}${mark}: ${check.reason}`);
  if (scope?.state === 'outside') {
    terminal.print(`${label('Scope')}${terminal.style('yellow', 'outside of the model’s subjects')}: ${reasonText(scope.reason)}${check.state === 'verified' ? '; the answer is verified all the same' : ''}`);
    if (scope.reason.kind === 'refused') for (const line of scopeLines(scope).slice(1)) terminal.print(`${' '.repeat(13)}${line}`);
  }
  const passesKnown = !missingData(solved.start).includes('passes');
  if (!passesKnown) terminal.print(`${label('Second pass')}not known: the endpoint doesn't send it`);
  else terminal.print(`${label('Second pass')}${sent.length} of ${stats.tokens} tokens${sent.length === 0 ? '' : ` (${((100 * sent.length) / stats.tokens).toFixed(1)} %)`}`);
  for (const token of sent.slice(0, LISTED)) terminal.print(`${' '.repeat(13)}${describeSent(token)}`);
  if (sent.length > LISTED) terminal.print(`${' '.repeat(13)}and ${sent.length - LISTED} more (--json lists all)`);
  terminal.print(`${label('Cost')}${passesKnown ? `${stats.passesPerToken.toFixed(2)} passes a token, ` : ''}${stats.tokensPerSecond.toFixed(0)} tokens a second`);
  terminal.print(`${label('Model')}${model.name}${model.quantization === null ? '' : ` (${model.quantization})`} on ${provider.provider}: ${provider.reason}`);
  if (reason === 'max-tokens') terminal.print(`${label('Ended')}at the limit of ${stats.tokens} tokens (--max-tokens)`);
  if (reason === 'context-limit') terminal.print(`${label('Ended')}at the model's context of ${model.contextLength} tokens`);
}

function describeSent(token: TokenEvent): string {
  const first = JSON.stringify(token.before[0]?.text ?? '');
  const thought = secondThought(token);
  const change = thought === 'changed the pick' ? `${first} → ${JSON.stringify(token.after[0]?.text ?? '')}` : first;
  return `#${token.index} ${change}  ${thought ?? ''}, score ${(firstScore(token) ?? 0).toFixed(2)}`;
}
