/**
 * Models of this machine, and chosen endpoints, in VS Code's Chat and for other extensions: a language-model provider
 * that streams, stops within one pass, counts by the model's own tokenizer, and calls no tools. It starts no engine
 * before something is asked of a model.
 */

import * as vscode from 'vscode';
import { abortOf } from '../../host/abort.ts';
import { errorText, logError } from '../../host/errors.ts';
import type { ChosenModel } from '../../host/models.ts';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import { endpointReference } from '../../protocol/engine.ts';
import type { GenerateRequest } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';
import { readMessages, readModelOptions } from './messages.ts';
import type { GivenMessage } from './messages.ts';

export const VENDOR = 'think-at-hard';

/** What the Chat shows, and what is asked of the engine for it. */
interface Offered extends vscode.LanguageModelChatInformation {
  readonly chosen: ChosenModel;
}

/** Where a server doesn't say it: what every server of today takes. */
const CONTEXT_IF_UNKNOWN = 4096;
/** How long a server may take to say that it is there, when models are listed. */
const LISTING_MS = 3_000;

export function registerProvider(services: Services): vscode.Disposable {
  const absent = new Absent(services);
  const changed = new vscode.EventEmitter<void>();
  const watching = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(SECTION)) changed.fire();
  });
  const provider: vscode.LanguageModelChatProvider<Offered> = {
    onDidChangeLanguageModelChatInformation: changed.event,
    provideLanguageModelChatInformation: () => offeredModels(services, absent),
    provideLanguageModelChatResponse: (model, messages, options, progress, token) => telling(services, () => respond(services, model, messages, options, progress, token)),
    provideTokenCount: (model, text) => telling(services, () => countTokens(services, model, text)),
  };
  return vscode.Disposable.from(changed, watching, vscode.lm.registerLanguageModelChatProvider(VENDOR, provider));
}

/** Endpoints that can't be offered, and why. VS Code lists models often: a reason is logged once until it changes. */
class Absent {
  private readonly reasons = new Map<string, string>();

  constructor(private readonly services: Services) {}

  note(name: string, error: unknown): void {
    const { message } = TahError.from(error);
    if (this.reasons.get(name) === message) return;
    this.reasons.set(name, message);
    logError(this.services.log, error);
  }

  forget(name: string): void {
    this.reasons.delete(name);
  }
}

async function offeredModels(services: Services, absent: Absent): Promise<Offered[]> {
  const { models, broken } = await services.models.list();
  for (const { error } of broken) logError(services.log, error);
  const { endpoints, maxTokens } = services.settings();
  const ids = new Set<string>();
  const local = models.map((model): Offered => {
    // Two folders of one model: the second is named by its folder.
    const id = ids.has(model.id) ? model.path : model.id;
    ids.add(id);
    return offered(model, { id, family: model.id, contextLength: model.contextLength, maxTokens, detail: model.quantization, tooltip: vscode.l10n.t('Runs on this machine. It solves mathematics and calls no tools.') });
  });
  const remote = await Promise.all(endpoints.map((endpoint) => offeredEndpoint(services, absent, endpoint.name, maxTokens)));
  return [...local, ...remote.filter((one) => one !== null)];
}

/** Null, and a line in the log, where it doesn't answer. */
async function offeredEndpoint(services: Services, absent: Absent, name: string, maxTokens: number): Promise<Offered | null> {
  const reference = endpointReference(name);
  let timer: NodeJS.Timeout | undefined;
  try {
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TahError('endpoint.stalled', `The endpoint ${name} doesn't answer.`, { subject: name }));
      }, LISTING_MS);
    });
    const { model } = await Promise.race([services.engine.load(reference), silence]);
    absent.forget(name);
    const host = model.endpoint?.host ?? name;
    return offered(await services.models.choose(reference), { id: reference, family: model.id, contextLength: model.contextLength ?? CONTEXT_IF_UNKNOWN, maxTokens, detail: host, tooltip: vscode.l10n.t('Runs at {0}: the chat is sent there.', host) });
  } catch (error) {
    absent.note(name, error);
    return null;
  } finally {
    clearTimeout(timer);
  }
}

interface Facts extends Pick<Offered, 'id' | 'family' | 'detail' | 'tooltip'> {
  readonly contextLength: number;
  readonly maxTokens: number;
}

function offered(chosen: ChosenModel, { contextLength, maxTokens, ...facts }: Facts): Offered {
  // Question and answer share the context.
  const maxOutputTokens = Math.min(maxTokens, Math.floor(contextLength / 2));
  return { ...facts, name: chosen.name, version: '1', maxInputTokens: contextLength - maxOutputTokens, maxOutputTokens, capabilities: { toolCalling: false, imageInput: false }, chosen };
}

/** A word before the answer to a question that the model has not learned to answer; null where it may know it. */
async function outsideWarning({ path, name }: ChosenModel, prompt: GenerateRequest['prompt']): Promise<string | null> {
  const question = prompt.kind === 'chat' ? prompt.messages.findLast(({ role }) => role === 'user')?.content : undefined;
  if (question === undefined) return null;
  // Loaded when something is asked, not with the window.
  const { judgeScope } = await import('../../answer/scopeFile.ts');
  if ((await judgeScope(path, question, null))?.state !== 'outside') return null;
  return `${vscode.l10n.t('Outside of what {0} has learned: what follows is likely to be wrong. Choose a larger model.', name)}\n\n`;
}

async function respond(
  services: Services,
  { chosen, maxOutputTokens }: Offered,
  messages: readonly GivenMessage[],
  options: vscode.ProvideLanguageModelChatResponseOptions,
  progress: vscode.Progress<vscode.LanguageModelResponsePart>,
  token: vscode.CancellationToken,
): Promise<void> {
  if (options.toolMode === vscode.LanguageModelChatToolMode.Required) {
    throw new TahError('engine.bad-request', 'This model calls no tools, and the request requires one to be called.', { subject: 'tools', hint: 'Choose another model, or ask without tools.' });
  }
  const { sampling, maxTokens, stop } = readModelOptions(options.modelOptions);
  const settings = services.settings();
  const temperature = settings.temperature === null ? {} : { temperature: settings.temperature };
  const request: GenerateRequest = {
    model: chosen.path,
    prompt: { kind: 'chat', messages: readMessages(messages) },
    policy: chosen.maxIter === 1 ? { kind: 'never' } : settings.policy,
    sampling: { ...temperature, ...sampling },
    maxTokens: maxTokens ?? maxOutputTokens,
    stop,
    // The Chat shows none; the engine wants at least one.
    topCandidates: 1,
    provider: settings.provider,
  };
  const abort = abortOf(token);
  try {
    const warning = await outsideWarning(chosen, request.prompt);
    if (warning !== null) progress.report(new vscode.LanguageModelTextPart(warning));
    for await (const event of services.engine.generate(request, abort.signal)) {
      if (event.type === 'token' && event.token.text !== '') progress.report(new vscode.LanguageModelTextPart(event.token.text));
    }
  } finally {
    abort.dispose();
  }
}

/** A message counts with what the model's template puts around it; a text as it is. */
async function countTokens({ engine }: Services, { chosen: { path } }: Offered, given: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
  if (typeof given === 'string') return given === '' ? 0 : engine.countTokens({ model: path, prompt: { kind: 'text', text: given } });
  return engine.countTokens({ model: path, prompt: { kind: 'chat', messages: readMessages([given]) } });
}

/** The Chat shows a message, not a code; what was stopped is VS Code's own cancellation. */
async function telling<T>(services: Services, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = logError(services.log, thrown);
    if (error.code === 'cancelled') throw new vscode.CancellationError();
    const text = errorText(error);
    throw error.code === 'model.not-found' || error.code === 'endpoint.unknown' ? vscode.LanguageModelError.NotFound(text) : new Error(text);
  }
}
