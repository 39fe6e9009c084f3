/**
 * The run panel: one webview beside the editor that shows the newest run or the one it is given. It answers `ready`
 * with a snapshot and then passes changes on; a webview that was hidden or reloaded says `ready` again, so nothing
 * is kept for it in memory. Closing the panel does not stop a run: the status bar shows it, and Stop ends it.
 */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { logError, registerCommand } from '../../host/errors.ts';
import { findRun } from '../../host/history.ts';
import type { Services } from '../../host/services.ts';
import { readPanelState, readWebviewMessage, RUN_PANEL } from '../../protocol/heatmap.ts';
import type { HostMessage, WebviewMessage } from '../../protocol/heatmap.ts';
import { runPage } from './page.ts';

export function registerRunPanel(services: Services): vscode.Disposable {
  const panels = new RunPanels(services);
  return vscode.Disposable.from(
    services.runs.onDidAdd((runId) => {
      // Explanations have their own place, and a comparison shows its runs together.
      const run = services.runs.get(runId);
      if (run?.kind === 'solve' && run.comparison === null) panels.show(runId);
    }),
    services.runs.onDidChange(({ runId, change }) => {
      panels.post(runId, { type: 'change', runId, change });
    }),
    vscode.window.registerWebviewPanelSerializer(RUN_PANEL, panels),
    registerCommand(services.log, 'thinkAtHard.showPanel', (runId) => {
      panels.show(services.runs.wanted(runId).id);
    }),
  );
}

class RunPanels implements vscode.WebviewPanelSerializer {
  private panel: vscode.WebviewPanel | null = null;
  private runId: string | null = null;
  /** The page has loaded and listens. */
  private ready = false;

  constructor(private readonly services: Services) {}

  show(runId: string): void {
    this.runId = runId;
    if (this.panel === null) {
      const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      this.adopt(vscode.window.createWebviewPanel(RUN_PANEL, vscode.l10n.t('Think-at-Hard'), place));
    } else {
      this.panel.reveal(undefined, true);
      this.sendRun();
    }
  }

  post(runId: string, message: HostMessage): void {
    if (this.ready && runId === this.runId) void this.panel?.webview.postMessage(message);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    this.panel?.dispose();
    this.runId = readPanelState(state)?.runId ?? null;
    this.adopt(panel);
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    const { extensionUri } = this.services;
    const file = (...parts: string[]): string => panel.webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
    this.panel = panel;
    this.ready = false;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel-icon.svg');
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist'), vscode.Uri.joinPath(extensionUri, 'media')],
    };
    panel.webview.onDidReceiveMessage((value: unknown) => {
      const message = readWebviewMessage(value);
      if (message === null) this.services.log.warn('The run panel sent a message that is not known.');
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
    panel.webview.html = runPage({
      nonce: randomBytes(16).toString('hex'),
      cspSource: panel.webview.cspSource,
      script: file('dist', 'webview.js'),
      styles: [file('dist', 'codicons', 'codicon.css'), file('media', 'panel.css')],
      language: vscode.env.language,
      title: 'Think-at-Hard',
    });
  }

  private receive(message: WebviewMessage): void {
    switch (message.type) {
      case 'ready':
        this.ready = true;
        this.runId ??= message.runId;
        void this.sendKept();
        return;
      case 'stop':
        void vscode.commands.executeCommand('thinkAtHard.stop', message.runId);
        return;
      case 'insert':
        void vscode.commands.executeCommand('thinkAtHard.insertAnswer', message.runId);
        return;
      case 'copy':
        void vscode.commands.executeCommand('thinkAtHard.copyAnswer', message.runId);
        return;
      case 'retry':
        void vscode.commands.executeCommand('thinkAtHard.retry', message.runId);
        return;
      case 'solve':
        void vscode.commands.executeCommand('thinkAtHard.solve');
        return;
      case 'showLog':
        this.services.log.show();
        return;
      default:
        message satisfies never;
    }
  }

  /** A panel that is restored shows a run of the window before. */
  private async sendKept(): Promise<void> {
    const { runs, history, log } = this.services;
    try {
      if (this.runId !== null) await findRun(runs, history, this.runId);
    } catch (error) {
      logError(log, error);
    }
    this.sendRun();
  }

  private sendRun(): void {
    if (this.panel === null || !this.ready) return;
    const run = this.runId === null ? null : this.services.runs.get(this.runId);
    const texts = panelTexts();
    this.panel.title = run === null ? 'Think-at-Hard' : titleOf(run.problem);
    const message: HostMessage = run === null ? { type: 'gone', texts } : { type: 'snapshot', run, texts };
    void this.panel.webview.postMessage(message);
  }
}

/** Translations of this language; English needs none. */
function panelTexts(): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [message, text] of Object.entries(vscode.l10n.bundle ?? {})) {
    if (typeof text === 'string') texts[message] = text;
  }
  return texts;
}

const LONGEST_TITLE = 30;

function titleOf(problem: string): string {
  const line = problem.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1).trimEnd()}…`;
}
