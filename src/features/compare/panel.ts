/**
 * The panel of comparisons: shows one, passes on what its runs do, and is restored after a reload from what the page
 * saved. Knows no policies and starts nothing.
 */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { findRun } from '../../host/history.ts';
import type { Services } from '../../host/services.ts';
import { scriptPage } from '../../host/webviewPage.ts';
import { COMPARISON_PANEL, comparedToken, readComparisonMessage } from '../../protocol/comparison.ts';
import type { ComparisonHostMessage, ComparisonWebviewMessage } from '../../protocol/comparison.ts';
import type { Run } from '../../protocol/run.ts';
import { estimateFlops, headOf, snapshotOf } from './columns.ts';
import type { Comparisons } from './comparisons.ts';
import type { ModelShape } from './flops.ts';

export class ComparisonPanel implements vscode.WebviewPanelSerializer {
  private panel: vscode.WebviewPanel | null = null;
  private shown: string | null = null;
  /** The page has loaded and listens. */
  private ready = false;
  private readonly shapes = new Map<string, ModelShape | null>();
  private readonly following: vscode.Disposable;

  constructor(
    private readonly services: Services,
    private readonly comparisons: Comparisons,
  ) {
    this.following = vscode.Disposable.from(
      comparisons.onDidChange((id) => {
        if (id === this.shown) this.sendHeads(id);
      }),
      services.runs.onDidChange(({ runId, change }) => {
        const place = this.ready ? comparisons.of(runId) : null;
        if (place?.id !== this.shown) return;
        if (change.type === 'tokens') this.post({ type: 'tokens', id: place.id, role: place.role, tokens: change.tokens.map(comparedToken) });
        else this.sendHeads(place.id);
      }),
    );
  }

  /** @param shape of the model of all its runs */
  show(id: string, shape: ModelShape | null): void {
    this.shapes.set(id, shape);
    this.shown = id;
    if (this.panel === null) this.adopt(vscode.window.createWebviewPanel(COMPARISON_PANEL, vscode.l10n.t('Compare Thinking'), { viewColumn: vscode.ViewColumn.Active }));
    else this.panel.reveal();
    this.sendSnapshot([]);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.panel?.dispose();
    this.shown = null;
    this.adopt(panel);
    return Promise.resolve();
  }

  dispose(): void {
    this.following.dispose();
    this.panel?.dispose();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    const { extensionUri, log } = this.services;
    const file = (...parts: string[]): string => panel.webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
    this.panel = panel;
    this.ready = false;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel-icon.svg');
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist'), vscode.Uri.joinPath(extensionUri, 'media')] };
    panel.webview.onDidReceiveMessage((value: unknown) => {
      const message = readComparisonMessage(value);
      if (message === null) log.warn('The comparison sent a message that is not known.');
      else this.receive(message);
    });
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.ready = false;
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.panel = null;
      this.ready = false;
    });
    panel.webview.html = scriptPage({
      nonce: randomBytes(16).toString('hex'),
      cspSource: panel.webview.cspSource,
      script: file('dist', 'comparison.js'),
      styles: [file('dist', 'codicons', 'codicon.css'), file('media', 'panel.css'), file('media', 'comparison.css')],
      language: vscode.env.language,
      title: vscode.l10n.t('Compare Thinking'),
    });
  }

  private receive(message: ComparisonWebviewMessage): void {
    switch (message.type) {
      case 'ready':
        this.ready = true;
        this.shown ??= message.id;
        this.sendSnapshot(message.runs);
        return;
      case 'stop':
        this.comparisons.stop(message.id);
        return;
      case 'again':
        void vscode.commands.executeCommand('thinkAtHard.compare', this.subjectOf(message));
        return;
      case 'heatmap':
        void vscode.commands.executeCommand('thinkAtHard.showPanel', message.runId);
        return;
      case 'selectModel':
        void vscode.commands.executeCommand('thinkAtHard.selectModel');
        return;
      case 'showLog':
        this.services.log.show();
        return;
      default:
        message satisfies never;
    }
  }

  /** A run of the comparison knows where its problem stands; where none is left, the text must do. */
  private subjectOf({ kind, problem }: Extract<ComparisonWebviewMessage, { type: 'again' }>): unknown {
    const columns = this.shown === null ? [] : (this.comparisons.get(this.shown)?.columns ?? []);
    const runId = columns.map((column) => column.runId).find((id) => id !== null && this.services.runs.get(id)?.problem === problem);
    if (runId !== undefined) return { runId };
    return kind === 'solve' ? problem : { text: problem };
  }

  /** @param runs that the page would like to open, where its comparison is not known any more */
  private sendSnapshot(runs: readonly string[]): void {
    const known = this.shown === null ? null : this.comparisons.get(this.shown);
    const texts = Object.fromEntries(Object.entries(vscode.l10n.bundle ?? {}).flatMap(([message, text]) => (typeof text === 'string' ? [[message, text]] : [])));
    if (known !== null) this.post({ type: 'snapshot', comparison: snapshotOf(known, (runId) => this.services.runs.get(runId), this.estimate(known.id)), texts });
    else void this.stillKept(runs).then((kept) => {
      this.post({ type: 'unknown', runs: kept, texts });
    });
  }

  /** Those of the runs that this window or the history has. */
  private async stillKept(runs: readonly string[]): Promise<string[]> {
    const found = await Promise.all(runs.map((run) => findRun(this.services.runs, this.services.history, run)));
    return runs.filter((_run, i) => found[i] !== null);
  }

  private sendHeads(id: string): void {
    for (const column of this.comparisons.get(id)?.columns ?? []) {
      this.post({ type: 'head', id, head: headOf(column, column.runId === null ? null : this.services.runs.get(column.runId), this.estimate(id)) });
    }
  }

  private estimate(id: string): (run: Run) => ReturnType<typeof estimateFlops> {
    return (run) => estimateFlops(vscode.l10n, this.shapes.get(id) ?? null, run);
  }

  private post(message: ComparisonHostMessage): void {
    if (this.ready) void this.panel?.webview.postMessage(message);
  }
}
