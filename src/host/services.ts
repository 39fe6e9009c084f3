/**
 * Builds what features share, once per window, and closes it. Nothing here starts the engine: that happens at the
 * first request. The answer checker is loaded when there is an answer to check.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { CudaRuntime } from './cudaRuntime.ts';
import { Downloads } from './downloads.ts';
import { EndpointKeys } from './endpointKeys.ts';
import { createEngineClient } from './engineClient.ts';
import type { EngineClient } from './engineClient.ts';
import { findRuntimes } from './engineRuntime.ts';
import { routeEngine } from './engineRouter.ts';
import { logError, showError } from './errors.ts';
import { keepEnded, RunHistory } from './history.ts';
import { HubTokens } from './hubTokens.ts';
import { MathService } from './math/mathService.ts';
import { MathWorkerClient } from './math/mathWorkerClient.ts';
import { ModelStore } from './models.ts';
import { officialNode } from './officialNode.ts';
import type { OfficialNode } from './officialNode.ts';
import { Origins } from './origins.ts';
import { Runs } from './runs.ts';
import { reasonsThatHold, reasonsToSave } from './runtimeMemory.ts';
import { readSettings, SECTION } from './settings.ts';
import type { Settings } from './settings.ts';
import { StatusItem } from './statusItem.ts';
import { analyseFormula, checkAnswer } from '../answer/checker.ts';
import type { FormulaFacts } from '../answer/facts/formulaFacts.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import { CACHE_FOLDER_VARIABLE, PROVIDER_RECORD_FILE } from '../protocol/rpc.ts';
import { extractAnswer } from '../answer/extract.ts';

/** The run that the panel showed last, in this window or the one before; null: none yet. */
export interface ShownRun {
  readonly get: () => string | null;
  readonly set: (runId: string) => void;
}

export interface Services {
  readonly extensionUri: vscode.Uri;
  readonly extensionVersion: string;
  readonly log: vscode.LogOutputChannel;
  /** The engine process, or an endpoint where the request's model names one. */
  readonly engine: EngineClient;
  readonly endpointKeys: EndpointKeys;
  readonly runs: Runs;
  /** Runs that have ended, this window's and earlier ones'. */
  readonly history: RunHistory;
  readonly origins: Origins;
  readonly shownRun: ShownRun;
  readonly models: ModelStore;
  readonly downloads: Downloads;
  /** Libraries for NVIDIA's cards, fetched on request. */
  readonly cuda: CudaRuntime;
  readonly hubTokens: HubTokens;
  readonly officialNode: OfficialNode;
  readonly status: StatusItem;
  readonly checkAnswer: (problem: string, answer: string, signal: AbortSignal) => Promise<AnswerCheck>;
  /** Formulas drawn and in words; its worker starts at the first one. */
  readonly math: MathService;
  /** The engine tests its providers again at the next load of a model. */
  readonly forgetProviders: () => Promise<void>;
  /** What computer algebra knows of a formula, within a time limit. */
  readonly analyse: (tex: string, signal?: AbortSignal) => Promise<FormulaFacts>;
  /** As they are now; those that a folder may have of its own, for the document `of`. */
  readonly settings: (of?: vscode.Uri) => Settings;
  readonly dispose: () => Promise<void>;
}

/** Of the extension's state: programs that the engine has died under, and of what. */
const REJECTED_RUNTIMES = 'rejectedRuntimes';
/** Of the window's state: places of problems, for its next run. */
const ORIGINS = 'origins';
/** Of the window's state: the run that the panel shows. */
const SHOWN_RUN = 'shownRun';

export function createServices(context: vscode.ExtensionContext): Services {
  const log = vscode.window.createOutputChannel('Think-at-Hard', { log: true });
  const bundle = (name: string): string => vscode.Uri.joinPath(context.extensionUri, 'dist', name).fsPath;
  const settings = (of?: vscode.Uri): Settings => readSettings(vscode.workspace.getConfiguration(SECTION, of));
  const storage = context.globalStorageUri.fsPath;
  const cuda = new CudaRuntime({ storage, entry: bundle('engineProcess.cjs'), fetch: () => (input, init) => globalThis.fetch(input, init), mirror: () => settings().cudaMirror });
  const { local, node } = localEngine(context, log, settings, () => cuda.environment());
  const endpointKeys = new EndpointKeys(context.secrets);
  const models = new ModelStore({
    bundled: bundle('models'),
    imported: vscode.Uri.joinPath(context.globalStorageUri, 'models').fsPath,
    folders: () => settings().modelFolders,
  });
  const engine = routeEngine({ local, endpoints: () => settings().endpoints, key: (endpoint) => endpointKeys.get(endpoint), explain: (error) => models.explain(error) });
  const check: Services['checkAnswer'] = (problem, answer, signal) => checkAnswer(problem, answer, { workerPath: bundle('checkWorker.cjs'), signal });
  const runs = new Runs({
    // A page drawn anew at each frame takes a core of its own where there is no GPU, and the engine wants that core.
    frameMs: 50,
    engine,
    extractAnswer,
    checkAnswer: check,
    // Loaded at the first question, not with the window.
    judgeScope: async (...args) => (await import('../answer/scopeFile.ts')).judgeScope(...args),
    onError: (error) => {
      logError(log, error);
    },
  });
  const history = openHistory(vscode.Uri.joinPath(context.globalStorageUri, 'history').fsPath, log);
  const downloads = new Downloads({
    folder: vscode.Uri.joinPath(context.globalStorageUri, 'downloads').fsPath,
    // Looked up each time: VS Code puts a fetch that knows its proxy settings in the place of Node's.
    fetch: () => (input, init) => globalThis.fetch(input, init),
  });
  const hubTokens = new HubTokens(context.secrets);
  const shownRun = keptShownRun(context.workspaceState, log);
  const status = new StatusItem(engine, runs, log, () => settings().model);
  const origins = keptOrigins(context.workspaceState, log);
  context.subscriptions.push(log, status, followEdits(origins), keepEnded(runs, history));
  const math = new MathService(new MathWorkerClient({ workerPath: bundle('mathWorker.cjs') }));
  const analyse = (tex: string, signal?: AbortSignal): Promise<FormulaFacts> => analyseFormula(tex, { workerPath: bundle('checkWorker.cjs'), ...(signal === undefined ? {} : { signal }) });
  const dispose = async (): Promise<void> => {
    const saved = origins.flush();
    math.dispose();
    downloads.dispose();
    runs.dispose();
    await engine.dispose();
    // What was stopped by the window's end is kept too.
    await runs.settled();
    await history.settled();
    await saved;
  };
  const extensionVersion = String((context.extension.packageJSON as { readonly version?: unknown }).version);
  return { extensionUri: context.extensionUri, extensionVersion, log, engine, endpointKeys, runs, history, origins, shownRun, models, checkAnswer: check, downloads, cuda, hubTokens, officialNode: node, status, settings, math, forgetProviders: () => rm(join(storage, PROVIDER_RECORD_FILE), { force: true }), analyse, dispose };
}

/** The engine process, and the Node that can be fetched for it; what has died under it is known to the next window. */
function localEngine(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, settings: () => Settings, environment: () => Promise<Readonly<Record<string, string>>>): { readonly local: EngineClient; readonly node: OfficialNode } {
  const storage = context.globalStorageUri.fsPath;
  const { nodePath, idleUnloadMs } = settings();
  // VS Code puts a fetch that knows its proxy settings in the place of Node's.
  const node = officialNode({ storage, mirror: () => settings().nodeMirror, fetch: () => (input, init) => globalThis.fetch(input, init), addRuntime: (runtime) => { local.addRuntime(runtime); } });
  const runtimes = findRuntimes({ configured: nodePath ?? undefined, fetched: node.fetched() });
  const local = createEngineClient({
    entry: vscode.Uri.joinPath(context.extensionUri, 'dist', 'engineProcess.cjs').fsPath,
    log,
    idleUnloadMs,
    environment,
    env: { [CACHE_FOLDER_VARIABLE]: storage },
    runtimes,
    rejectedRuntimes: reasonsThatHold(context.globalState.get(REJECTED_RUNTIMES), runtimes),
    onRejectedRuntimes: (reasons) => {
      context.globalState.update(REJECTED_RUNTIMES, reasonsToSave(reasons)).then(undefined, (error: unknown) => { logError(log, error); });
    },
  });
  return { local, node };
}

function keptOrigins(state: vscode.Memento, log: vscode.LogOutputChannel): Origins {
  return new Origins({
    saved: state.get(ORIGINS),
    save: (origins) => state.update(ORIGINS, origins),
    onError: (error) => {
      logError(log, error);
    },
  });
}

function keptShownRun(state: vscode.Memento, log: vscode.LogOutputChannel): ShownRun {
  return {
    get: () => {
      const saved = state.get<unknown>(SHOWN_RUN);
      return typeof saved === 'string' ? saved : null;
    },
    set: (runId) => {
      state.update(SHOWN_RUN, runId).then(undefined, (error: unknown) => { logError(log, error); });
    },
  };
}

function openHistory(folder: string, log: vscode.LogOutputChannel): RunHistory {
  let shown = false;
  return new RunHistory({
    folder,
    log: (line) => {
      log.warn(line);
    },
    onError: (error) => {
      // A full disk is told once a window, not after each run.
      if (shown) logError(log, error);
      else void showError(log, error);
      shown = true;
    },
  });
}

function followEdits(origins: Origins): vscode.Disposable {
  return vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    const edits = contentChanges.map((change) => ({ offset: change.rangeOffset, removed: change.rangeLength, inserted: change.text.length }));
    origins.applyEdits(document.uri.toString(), edits);
  });
}
