/**
 * Difficulty of the user's own text: one prefill scores every token, and the editor shows where the model would think
 * twice. Asks for the run, waits for it, and has it shown; places, colours and hovers are the other files' work.
 */

import * as vscode from 'vscode';
import { registerCommand } from '../../host/errors.ts';
import { markOf } from '../../host/origins.ts';
import type { Edit } from '../../host/origins.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { Run } from '../../protocol/run.ts';
import { FollowedSpans } from './followedSpans.ts';
import { editsOf, MeasuredDocuments, summaryText, tableText } from './measuredDocuments.ts';
import type { Measured } from './measuredDocuments.ts';
import { partInView, readTarget, readText } from './target.ts';
import type { Target } from './target.ts';
import { percent } from './tokenHover.ts';
import { literalOf, placeTokens } from './tokenSpans.ts';

/** No vocabulary has texts whose tokens are longer than this on the average: a longer text is refused unread. */
const LONGEST_TOKEN = 16;

export function registerDifficulty(services: Services): vscode.Disposable {
  const measured = new MeasuredDocuments();
  return vscode.Disposable.from(
    measured,
    registerCommand(services.log, 'thinkAtHard.showDifficulty', async (...args) => {
      await showDifficulty(services, measured, await readTarget(args));
    }),
    registerCommand(services.log, 'thinkAtHard.clearDifficulty', () => {
      measured.clear();
    }),
    registerCommand(services.log, 'thinkAtHard.showDifficultyTable', (uri) => {
      const shown = measured.get(typeof uri === 'string' ? uri : (vscode.window.activeTextEditor?.document.uri.toString() ?? ''));
      if (shown === null) throw new TahError('input.empty', phrase('The difficulty of this document is not shown.'), { hint: phrase('Choose Think-at-Hard: Show Difficulty of Text first.') });
      showTable(shown);
    }),
  );
}

async function showDifficulty(services: Services, documents: MeasuredDocuments, target: Target): Promise<void> {
  try {
    const measured = await measure(services, documents, target);
    if (measured !== null) announce(measured);
  } catch (error) {
    const inView = TahError.from(error).code === 'engine.context-too-long' ? partInView(target) : null;
    if (inView === null) throw error;
    const offer = vscode.l10n.t('Measure the Part in View');
    // Not awaited by the command: it has ended; what is chosen is another one.
    void vscode.window.showWarningMessage(TahError.from(error).message, offer).then((choice) => {
      if (choice === offer) void vscode.commands.executeCommand('thinkAtHard.showDifficulty', inView.document.uri.toString(), inView.start, inView.end);
    });
  }
}

/** @returns null where it was cancelled */
async function measure(services: Services, documents: MeasuredDocuments, target: Target): Promise<Measured | null> {
  const { document } = target;
  const settings = services.settings(document.uri);
  const model = await services.models.resolve(settings.model);
  const progress = { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Measuring difficulty'), cancellable: true };
  const edits: Edit[][] = [];
  const following = vscode.workspace.onDidChangeTextDocument((event) => {
    if (event.document === document) edits.push(editsOf(event.contentChanges));
  });
  try {
    return await vscode.window.withProgress(progress, async (report, cancel) => {
      const { model: info } = await services.engine.load(model.path, settings.provider);
      if (isCancelled(cancel)) return null;
      refuseTooLong(target, info.contextLength);
      const version = document.version;
      const text = readText(target);
      await refuseTooManyTokens(services, model.path, text, info.contextLength);
      if (isCancelled(cancel)) return null;
      edits.length = 0;
      const policy = info.maxIter === 1 ? ({ kind: 'never' } as const) : settings.policy.kind === 'decider' ? settings.policy : ({ kind: 'decider' } as const);
      const runId = services.runs.start({ kind: 'measure', text, model: model.path, policy, provider: settings.provider });
      services.origins.set(runId, { uri: document.uri.toString(), start: target.start, offset: target.end, text: markOf(text) });
      const run = await finishedRun(services, runId, report, cancel);
      if (run === null || document.isClosed) return null;
      const spans = spansOf(services, text, target.start, run);
      // What was typed meanwhile moves the spans as if it had been typed after.
      if (document.version !== version) for (const edit of edits) spans.apply(edit);
      return documents.show(document, run, spans);
    });
  } finally {
    following.dispose();
  }
}

/** Asked after each wait: it may have changed meanwhile. */
function isCancelled(token: vscode.CancellationToken): boolean {
  return token.isCancellationRequested;
}

async function finishedRun(services: Services, runId: string, report: vscode.Progress<{ message?: string }>, cancel: vscode.CancellationToken): Promise<Run | null> {
  let tokens = 0;
  const following = services.runs.onDidChange(({ runId: id, change }) => {
    if (id !== runId || change.type !== 'tokens') return;
    tokens += change.tokens.length;
    report.report({ message: vscode.l10n.t('{0} tokens', tokens) });
  });
  const stopping = cancel.onCancellationRequested(() => {
    services.runs.stop(runId);
  });
  try {
    await services.runs.whenFinished(runId);
  } finally {
    following.dispose();
    stopping.dispose();
  }
  const run = services.runs.get(runId);
  if (run?.error != null) throw TahError.fromData(run.error);
  return run?.state === 'done' ? run : null;
}

function spansOf(services: Services, text: string, base: number, run: Run): FollowedSpans {
  const first = run.prompt.map((token) => ({ text: token.text, special: token.text === '', literal: null }));
  const rest = run.tokens.map((token) => ({ text: token.text, special: token.special, literal: token.special ? literalOf(token.id, [token.before, token.after]) : null }));
  const { spans, unplaced } = placeTokens(text, [...first, ...rest]);
  if (unplaced > 0) {
    services.log.warn(`${unplaced} of ${first.length + rest.length} tokens have no place in the measured text; they are not shown.`);
    void vscode.window.showWarningMessage(vscode.l10n.t('The last {0} tokens could not be placed in the text and are not marked.', unplaced));
  }
  return new FollowedSpans(spans, base);
}

/** Before the text is even read out of the document. */
function refuseTooLong({ start, end }: Target, contextLength: number | null): void {
  if (contextLength === null || end - start <= contextLength * LONGEST_TOKEN) return;
  throw new TahError('engine.context-too-long', phrase('The text has {0} characters; this model reads {1} tokens at most.', end - start, contextLength), { hint: phrase('Select a shorter part.') });
}

async function refuseTooManyTokens(services: Services, model: string, text: string, contextLength: number | null): Promise<void> {
  if (contextLength === null) return;
  const tokens = await services.engine.countTokens({ model, prompt: { kind: 'text', text } });
  if (tokens <= contextLength) return;
  throw new TahError('engine.context-too-long', phrase('The text has {0} tokens; this model reads {1} at most.', tokens, contextLength), { hint: phrase('Select a shorter part.') });
}

function announce(measured: Measured): void {
  const heatmap = vscode.l10n.t('Open Heatmap');
  const clear = vscode.l10n.t('Clear');
  const table = vscode.l10n.t('Table');
  const choices = measured.threshold === null ? [heatmap, clear] : [heatmap, table, clear];
  const text = measured.threshold === null ? summaryText(measured) : `${summaryText(measured)}. ${tableText(measured.table)}`;
  void vscode.window.showInformationMessage(text, ...choices).then((choice) => {
    if (choice === heatmap) void vscode.commands.executeCommand('thinkAtHard.showPanel', measured.run.id);
    if (choice === clear) void vscode.commands.executeCommand('thinkAtHard.clearDifficulty');
    if (choice === table) showTable(measured);
  });
}

/** Decider against self-oracle: hard is what the first pass would have got wrong. */
function showTable({ table }: Measured): void {
  const hard = table['hard-sent'] + table['hard-missed'];
  const sent = table['hard-sent'] + table['easy-sent'];
  const share = (part: number, whole: number): string => (whole === 0 ? '–' : percent(part / whole));
  const detail = [
    vscode.l10n.t('Hard (the first pass expected another token): {0} sent, {1} missed', table['hard-sent'], table['hard-missed']),
    vscode.l10n.t('Easy (the first pass was right): {0} sent, {1} skipped', table['easy-sent'], table['easy-skipped']),
    '',
    vscode.l10n.t('Of the hard tokens, {0} were sent (recall).', share(table['hard-sent'], hard)),
    vscode.l10n.t('Of the tokens that were sent, {0} were hard (precision).', share(table['hard-sent'], sent)),
    vscode.l10n.t('Of the easy tokens, {0} were sent for nothing.', share(table['easy-sent'], table.tokens - hard)),
    vscode.l10n.t('Second passes: {0} corrected, {1} left wrong, {2} overthought (right before, wrong after), {3} needless.', table.effects.corrected, table.effects.unrepaired, table.effects.overthought, table.effects.needless),
  ].join('\n');
  void vscode.window.showInformationMessage(vscode.l10n.t('Decider against self-oracle over {0} tokens', table.tokens), { modal: true, detail });
}
