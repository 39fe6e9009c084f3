/**
 * The documents whose difficulty is shown: keeps their spans right while they are edited, marks every editor that
 * shows them, and answers hovers and CodeLenses. Everything it registers lives only while some document is measured.
 */

import * as vscode from 'vscode';
import type { Edit } from '../../host/origins.ts';
import type { Run } from '../../protocol/run.ts';
import type { FollowedSpan, FollowedSpans } from './followedSpans.ts';
import { MarkStyles } from './marks.ts';
import type { Mark } from './marks.ts';
import { hardest, levelOf, oracleTable } from './measuredToken.ts';
import type { OracleTable } from './measuredToken.ts';
import { hoverMarkdown, percent } from './tokenHover.ts';

export interface Measured {
  readonly document: vscode.TextDocument;
  readonly run: Run;
  readonly threshold: number | null;
  readonly spans: FollowedSpans;
  readonly table: OracleTable;
}

/** Edits that only move spans are drawn by VS Code itself; what hovers say of them may wait. */
const LENS_MS = 300;

export class MeasuredDocuments implements vscode.HoverProvider, vscode.CodeLensProvider {
  private readonly byUri = new Map<string, Measured>();
  private shown: vscode.Disposable | null = null;
  private styles: MarkStyles | null = null;
  private readonly lensesChanged = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.lensesChanged.event;
  private lensTimer: NodeJS.Timeout | null = null;

  get(uri: string): Measured | null {
    return this.byUri.get(uri) ?? null;
  }

  show(document: vscode.TextDocument, run: Run, spans: FollowedSpans): Measured {
    const { model, policy } = run;
    const own = model?.threshold ?? null;
    const threshold = policy.kind === 'decider' && own !== null ? (policy.threshold ?? own) : null;
    const measured: Measured = { document, run, threshold, spans, table: oracleTable(run.tokens) };
    this.byUri.set(document.uri.toString(), measured);
    this.shown ??= this.register();
    this.draw(measured);
    this.lensesChanged.fire();
    return measured;
  }

  clear(): void {
    this.byUri.clear();
    this.shown?.dispose();
    this.shown = null;
    this.styles = null;
  }

  dispose(): void {
    this.clear();
    this.lensesChanged.dispose();
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | null {
    const measured = this.byUri.get(document.uri.toString());
    const span = measured?.spans.at(document.offsetAt(position)) ?? null;
    if (measured === undefined || span === null) return null;
    const tokens = tokensOf(measured, span);
    // The first token of a text follows nothing: it has no prediction to tell of.
    if (tokens.length === 0) return null;
    const text = hoverMarkdown(vscode.l10n, { tokens, threshold: measured.threshold, outdated: span.outdated });
    return new vscode.Hover(new vscode.MarkdownString(text), rangeOf(document, span));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const measured = this.byUri.get(document.uri.toString());
    const first = measured?.spans.spans[0];
    if (measured === undefined || first === undefined) return [];
    const place = rangeOf(document, first);
    const uri = document.uri.toString();
    const lens = (title: string, command: string, ...args: unknown[]): vscode.CodeLens => new vscode.CodeLens(place, { title, command, arguments: args });
    return [
      lens(`$(symbol-color) ${shortText(measured)}`, 'thinkAtHard.showPanel', measured.run.id),
      lens(vscode.l10n.t('Clear'), 'thinkAtHard.clearDifficulty'),
      ...(measured.threshold === null ? [] : [
        lens(tableText(measured.table), 'thinkAtHard.showDifficultyTable', uri),
        lens(vscode.l10n.t('Compare policies'), 'thinkAtHard.compare', { runId: measured.run.id }),
      ]),
    ];
  }

  private register(): vscode.Disposable {
    const everything = '*';
    this.styles = new MarkStyles();
    void vscode.commands.executeCommand('setContext', 'thinkAtHard.hasDifficulty', true);
    return vscode.Disposable.from(
      this.styles,
      vscode.languages.registerHoverProvider(everything, this),
      vscode.languages.registerCodeLensProvider(everything, this),
      vscode.window.onDidChangeVisibleTextEditors((editors) => {
        for (const editor of editors) this.drawEditor(editor);
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        this.follow(event);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.byUri.delete(document.uri.toString());
        if (this.byUri.size === 0) this.clear();
      }),
      new vscode.Disposable(() => {
        if (this.lensTimer !== null) clearTimeout(this.lensTimer);
        this.lensTimer = null;
        this.lensesChanged.fire();
        void vscode.commands.executeCommand('setContext', 'thinkAtHard.hasDifficulty', false);
      }),
    );
  }

  private follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const measured = this.byUri.get(document.uri.toString());
    if (measured === undefined) return;
    if (measured.spans.apply(editsOf(contentChanges))) this.draw(measured);
    this.lensTimer ??= setTimeout(() => {
      this.lensTimer = null;
      this.lensesChanged.fire();
    }, LENS_MS);
  }

  private draw(measured: Measured): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document === measured.document) this.drawEditor(editor);
    }
  }

  private drawEditor(editor: vscode.TextEditor): void {
    const measured = this.byUri.get(editor.document.uri.toString());
    if (measured !== undefined) this.styles?.apply(editor, marksOf(measured));
  }
}

export function editsOf(changes: readonly vscode.TextDocumentContentChangeEvent[]): Edit[] {
  return changes.map((change) => ({ offset: change.rangeOffset, removed: change.rangeLength, inserted: change.text.length }));
}

/** Piece 0 is the first token of the text, which nothing predicts; token i of the run is piece i + 1. */
function tokensOf(measured: Measured, span: FollowedSpan): Run['tokens'] {
  const given = measured.run.prompt.length;
  return span.pieces.flatMap((piece) => measured.run.tokens[piece - given] ?? []);
}

function marksOf(measured: Measured): Mark[] {
  return measured.spans.spans.flatMap((span) => {
    const token = hardest(tokensOf(measured, span));
    if (token === undefined) return [];
    const level = levelOf(token);
    const sent = token.iterCount > 1;
    const inRuler = measured.threshold === null ? level >= 3 : sent;
    return level === 0 && !sent ? [] : [{ range: rangeOf(measured.document, span), level, sent, inRuler }];
  });
}

function rangeOf(document: vscode.TextDocument, { start, end }: { readonly start: number; readonly end: number }): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

/** One line: how much of the text is hard. */
export function summaryText({ run, table, threshold }: Measured): string {
  const { tokens } = table;
  if (threshold === null) {
    const missed = table['hard-missed'] + table['hard-sent'];
    return vscode.l10n.t('{0} tokens, {1} not as the model expected ({2}); coloured by entropy: this model has no decider', tokens, missed, percent(missed / tokens));
  }
  const sent = table['hard-sent'] + table['easy-sent'];
  return vscode.l10n.t('{0} tokens, {1} sent to a second pass ({2}), {3} passes a token', tokens, sent, percent(sent / tokens), (run.stats?.passesPerToken ?? 1).toFixed(2));
}

/** For a line of links above the text, which is cut where it is too long. */
function shortText(measured: Measured): string {
  const { table, threshold } = measured;
  return threshold === null ? summaryText(measured) : vscode.l10n.t('{0} of {1} tokens sent to a second pass', table['hard-sent'] + table['easy-sent'], table.tokens);
}

export function tableText(table: OracleTable): string {
  return vscode.l10n.t('hard: {0} sent, {1} missed · easy: {2} sent, {3} skipped', table['hard-sent'], table['hard-missed'], table['easy-sent'], table['easy-skipped']);
}
