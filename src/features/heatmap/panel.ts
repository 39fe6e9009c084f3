/**
 * The run panel: one webview beside the editor that shows the newest run or the one it is given. Closing the panel
 * does not stop a run: the status bar shows it, and Stop ends it.
 */

import * as vscode from 'vscode';
import { registerCommand } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { RUN_PANEL } from '../../protocol/heatmap.ts';
import { readPanelState } from '../../protocol/heatmapMessages.ts';
import { followSelections } from './measuredDocument.ts';
import { registerRunFileEditor } from './runFileEditor.ts';
import { RunPageHost } from './runPageHost.ts';
import { liveRuns } from './runSource.ts';

export function registerRunPanel(services: Services): vscode.Disposable {
  const panels = new RunPanels(services);
  const { runs } = services;
  return vscode.Disposable.from(
    runs.onDidAdd((runId) => {
      // Explanations have their own place, and a comparison shows its runs together.
      const run = runs.get(runId);
      if (run?.kind === 'solve' && run.comparison === null) panels.show(runId);
    }),
    runs.onDidChange(({ runId, change }) => {
      panels.page?.post({ type: 'change', runId, change });
      if (change.type === 'end' || change.type === 'check') panels.page?.sendFamily();
    }),
    vscode.window.registerWebviewPanelSerializer(RUN_PANEL, panels),
    followSelections(services, () => panels.page?.shown ?? null, (runId, index) => {
      panels.page?.post({ type: 'select', runId, index });
    }),
    registerRunFileEditor(services),
    registerCommand(services.log, 'thinkAtHard.showPanel', (given) => {
      panels.show(runs.wanted(given).id);
    }),
  );
}

class RunPanels implements vscode.WebviewPanelSerializer {
  page: RunPageHost | null = null;
  private panel: vscode.WebviewPanel | null = null;

  constructor(private readonly services: Services) {}

  show(runId: string): void {
    if (this.panel === null || this.page === null) {
      const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      this.adopt(vscode.window.createWebviewPanel(RUN_PANEL, vscode.l10n.t('Think-at-Hard'), place), runId);
    } else {
      this.panel.reveal(undefined, true);
      this.page.show(runId);
    }
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    this.panel?.dispose();
    // What a page saves is written by VS Code every few seconds at best; what the host saves, at once.
    this.adopt(panel, this.services.shownRun.get() ?? readPanelState(state)?.runId ?? null);
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel, runId: string | null): void {
    const { services } = this;
    const page = new RunPageHost(panel.webview, liveRuns(services), services, {
      onShow: (shown) => {
        const run = shown === null ? null : services.runs.get(shown);
        if (run !== null) services.shownRun.set(run.id);
        panel.title = run === null ? 'Think-at-Hard' : titleOf(run.problem);
      },
    });
    this.panel = panel;
    this.page = page;
    panel.iconPath = vscode.Uri.joinPath(services.extensionUri, 'media', 'panel-icon.svg');
    page.show(runId);
    panel.onDidChangeViewState(() => {
      if (!panel.visible) page.hide();
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.panel = null;
      this.page = null;
    });
  }
}

const LONGEST_TITLE = 30;

function titleOf(problem: string): string {
  const line = problem.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1).trimEnd()}…`;
}
