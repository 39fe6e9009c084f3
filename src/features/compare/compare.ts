/**
 * Compare: one problem under never, Think-at-Hard and always twice, or a given text under those and the oracle, with
 * the same seed. Reads what is to be compared, plans the runs, and has them shown.
 */

import * as vscode from 'vscode';
import { logError, registerCommand } from '../../host/errors.ts';
import { sourceInView, sourceOfText } from '../../host/problem/source.ts';
import type { ProblemSource } from '../../host/problem/source.ts';
import type { RunRequest } from '../../host/runsRequest.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import type { ComparisonKind } from '../../protocol/comparison.ts';
import type { ThinkingPolicy } from '../../protocol/engine.ts';
import { COMPARISON_PANEL } from '../../protocol/comparison.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { Comparisons } from './comparisons.ts';
import type { PlannedRun, SharedRequest } from './comparisons.ts';
import { readShape } from './flops.ts';
import { ComparisonPanel } from './panel.ts';
import { placing } from './placing.ts';
import type { ComparedPlace } from './placing.ts';
import { readSubject } from './subject.ts';
import type { Subject } from './subject.ts';

export function registerCompare(services: Services): vscode.Disposable {
  const comparisons = new Comparisons(services.runs, (error) => logError(services.log, error));
  const panel = new ComparisonPanel(services, comparisons);
  return vscode.Disposable.from(
    panel,
    vscode.window.registerWebviewPanelSerializer(COMPARISON_PANEL, panel),
    registerCommand(services.log, 'thinkAtHard.compare', async (given) => {
      const wanted = await wantedOf(services, given);
      if (wanted !== null) await compare(services, comparisons, panel, wanted);
    }),
  );
}

interface Wanted {
  readonly subject: Subject;
  readonly place: ComparedPlace;
}

async function compare(services: Services, comparisons: Comparisons, panel: ComparisonPanel, { subject, place }: Wanted): Promise<void> {
  const origin = place !== null && 'runId' in place ? services.origins.get(place.runId) : place;
  const settings = services.settings(origin === null ? undefined : vscode.Uri.parse(origin.uri, true));
  const model = await services.models.choose(settings.model);
  if (model.maxIter === 1) {
    throw new TahError('model.no-decider', phrase('There is nothing to compare: {0} is a plain model, which thinks once about every token.', model.name), { subject: model.name, hint: phrase('Choose a Think-at-Hard model with Think-at-Hard: Select Model….') });
  }
  const request: SharedRequest = ({ policy }, comparison): RunRequest => {
    const shared = { model: model.path, provider: settings.provider, policy, comparison };
    if (subject.kind === 'measure') return { ...shared, kind: 'measure', text: subject.text };
    const sampling = settings.temperature === null ? {} : { sampling: withTemperature(model.generation, settings.temperature) };
    return { ...shared, problem: subject.text, maxTokens: settings.maxTokens, ...sampling };
  };
  const id = comparisons.start({ kind: subject.kind, problem: subject.text, runs: plannedRuns(subject.kind, settings.policy), request, onStart: placing(services.origins, place) });
  panel.show(id, await readShape(model.path));
}

/** @param given `{ runId }`, `{ text }`, a problem, or what a menu gives: then it is what Solve would take, or what is typed */
async function wantedOf(services: Services, given: unknown): Promise<Wanted | null> {
  const named = readSubject(given, services.runs);
  if (named !== null) return { subject: named, place: typeof given === 'object' && given !== null && 'runId' in given && typeof given.runId === 'string' ? { runId: given.runId } : null };
  const source = sourceInView(given) ?? (await typedSource(services));
  const subject = source === null ? null : readSubject(source.text, services.runs);
  return source === null || subject === null ? null : { subject, place: source.origin };
}

async function typedSource(services: Services): Promise<ProblemSource | null> {
  const last = services.runs.ids().map((id) => services.runs.get(id)).findLast((run) => run?.kind === 'solve');
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t('Compare thinking policies'),
    prompt: vscode.l10n.t('Solved three times with the same seed: never, where it is hard, and always twice'),
    placeHolder: vscode.l10n.t('Solve 3x + 5 = 20 for x'),
    value: last?.problem ?? '',
    ignoreFocusOut: true,
  });
  return typed === undefined ? null : sourceOfText(typed, null);
}

/** The decider with the user's threshold, between the two that need none. */
export function plannedRuns(kind: ComparisonKind, setting: ThinkingPolicy): PlannedRun[] {
  const decider: ThinkingPolicy = setting.kind === 'decider' ? setting : { kind: 'decider' };
  const runs: PlannedRun[] = [
    { role: 'never', policy: { kind: 'never' } },
    { role: 'decider', policy: decider },
    { role: 'always', policy: { kind: 'always' } },
  ];
  // Only where the text is given is it known which tokens the first pass gets wrong.
  if (kind === 'measure') runs.push({ role: 'oracle', policy: { kind: 'self-oracle' } });
  return runs;
}

