/**
 * Solve, stop, insert, replace, copy: what a user does with a problem. Runs live in host/runs; the panel is another feature,
 * which shows a run as soon as it is added.
 */

import * as vscode from 'vscode';
import { registerCommand } from '../../host/errors.ts';
import { readProblem } from '../../host/problem/problem.ts';
import { sourceInView, sourceOfText } from '../../host/problem/source.ts';
import type { ProblemSource } from '../../host/problem/source.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import { endpointReference } from '../../protocol/engine.ts';
import type { ModelInfo } from '../../protocol/engine.ts';
import type { Run } from '../../protocol/run.ts';
import { insertAnswer, replaceProblem } from './answerPlace.ts';
import { copyAnswer } from './copyAnswer.ts';
import { surroundingsOf } from './problemPlace.ts';
import { regenerate } from './regenerate.ts';
import { askForProblem } from './typedProblem.ts';

export function registerSolve(services: Services): vscode.Disposable {
  const { log, runs } = services;
  return vscode.Disposable.from(
    registerCommand(log, 'thinkAtHard.solve', (given, place) => solve(services, given, place)),
    registerCommand(log, 'thinkAtHard.stop', (runId) => {
      const id = typeof runId === 'string' ? runId : runs.running();
      if (id !== null) runs.stop(id);
    }),
    registerCommand(log, 'thinkAtHard.insertAnswer', (runId) => insertAnswer(services, runs.wanted(runId))),
    registerCommand(log, 'thinkAtHard.replaceProblem', (runId) => replaceProblem(services, runs.wanted(runId))),
    registerCommand(log, 'thinkAtHard.copyAnswer', (runId) =>
      copyAnswer(runs.wanted(runId), { writeText: (text) => vscode.env.clipboard.writeText(text), surroundingsOf: (run) => surroundingsOf(services, run) }),
    ),
    registerCommand(log, 'thinkAtHard.regenerate', (runId, index, change) => regenerate(services, runs.wanted(runId), index, change)),
    registerCommand(log, 'thinkAtHard.retry', (runId) => retry(services, runs.wanted(runId))),
  );
}

/**
 * @param given a text from another command, or the cell whose menu was used
 * @param place where such a text stands, as `{ uri, start, end }`
 */
async function solve(services: Services, given: unknown, place: unknown): Promise<void> {
  const source = typeof given === 'string' ? await sourceOfText(given, place) : (sourceInView(given) ?? (await typedSource()));
  if (source === undefined) return;
  const problem = readProblem(source.text);
  const settings = services.settings(source.document?.uri);
  const model = await services.models.choose(settings.model);
  const runId = services.runs.start({
    problem,
    model: model.path,
    policy: model.maxIter === 1 ? { kind: 'never' } : settings.policy,
    maxTokens: settings.maxTokens,
    provider: settings.provider,
    ...(settings.temperature === null ? {} : { sampling: withTemperature(model.generation, settings.temperature) }),
  });
  if (source.origin !== null) services.origins.set(runId, source.origin);
}

async function typedSource(): Promise<ProblemSource | undefined> {
  const typed = await askForProblem();
  return typed === undefined ? undefined : sourceOfText(typed, null);
}

async function placeOf({ models }: Services, model: ModelInfo | null, setting: string | null): Promise<string> {
  if (model === null) return (await models.choose(setting)).path;
  if (model.endpoint !== undefined) return endpointReference(model.endpoint.name);
  return model.path !== '' ? model.path : (await models.withWeightsOf(model, setting)).path;
}

/** A run of an earlier window is computed by the same weights, wherever they are now. */
async function retry(services: Services, run: Run): Promise<void> {
  const settings = services.settings();
  const { provider, maxTokens } = settings;
  const model = await placeOf(services, run.model, settings.model);
  const next = services.runs.retry(run.id, { model, provider, maxTokens });
  if (next !== null) services.origins.copy(run.id, next);
}
