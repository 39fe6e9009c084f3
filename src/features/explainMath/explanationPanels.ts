/**
 * Explanations of formulas in cells of notebooks, each as a page beside its notebook. VS Code shows no comment thread
 * of an extension in a cell: there it takes only threads of cells, which its API has no way to make. The page is
 * replaced as a whole each time: a Markdown preview would lose what changes while it opens.
 */

import * as vscode from 'vscode';
import { EXPLANATION_COMMAND } from './commandLink.ts';
import type { Part } from './explanation.ts';

const PANEL = 'thinkAtHard.explanation';
const STYLE = ['media', 'explanation.css'];
/** Of the formula, in the title. */
const LONGEST_TITLE = 40;

export interface ExplanationPanel {
  readonly show: (parts: readonly Part[]) => Promise<void>;
  readonly dispose: () => void;
}

/** Opens a page to the side of the notebook. @param onClosed by the user, or by `dispose` */
export function openExplanationPanel(extensionUri: vscode.Uri, tex: string, onClosed: () => void): ExplanationPanel {
  const formula = tex.replace(/\s+/g, ' ').trim();
  const title = `${vscode.l10n.t('Explanation')}: ${formula.length > LONGEST_TITLE ? `${formula.slice(0, LONGEST_TITLE)}…` : formula}`;
  const panel = vscode.window.createWebviewPanel(PANEL, title, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true }, {
    enableScripts: false,
    enableFindWidget: true,
    enableCommandUris: [EXPLANATION_COMMAND],
    localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'media')],
  });
  panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel-icon.svg');
  let closed = false;
  panel.onDidDispose(() => {
    closed = true;
    onClosed();
  });
  return {
    show: async (parts) => {
      // Only who explains a formula of a notebook loads what makes a page of Markdown.
      const { explanationPage } = await import('./explanationPage.ts');
      if (closed) return;
      const { webview } = panel;
      webview.html = explanationPage({ cspSource: webview.cspSource, style: webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...STYLE)).toString(), language: vscode.env.language, title, parts });
    },
    dispose: () => {
      panel.dispose();
    },
  };
}
