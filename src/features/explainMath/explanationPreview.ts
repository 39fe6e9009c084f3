/**
 * Explanations of formulas in cells of notebooks, each as a Markdown preview beside its notebook. VS Code shows no comment
 * thread of an extension in a cell: there it takes only threads of cells, which its API has no way to make.
 */

import * as vscode from 'vscode';
import type { Part } from './explanation.ts';
import { escaped, withoutImageSizes } from './safeMarkdown.ts';

const SCHEME = 'think-at-hard-explanation';

export class ExplanationPreviews implements vscode.TextDocumentContentProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();
  /** Made at the first explanation. */
  private registration: vscode.Disposable | null = null;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /** The preview of the formula that begins there; opened to the side of the notebook with the first parts. */
  of(cell: vscode.Uri, start: vscode.Position): (parts: readonly Part[]) => Promise<void> {
    this.registration ??= vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${vscode.l10n.t('Explanation')}.md`, query: `${cell.toString()}:${start.line}:${start.character}` });
    let isOpen = false;
    return async (parts) => {
      this.texts.set(uri.toString(), parts.map(({ source, markdown }) => `#### ${escaped(source)}\n\n${withoutImageSizes(markdown)}`).join('\n\n'));
      // Even before it is opened here: it may be open from an earlier explanation of the same formula.
      this.changed.fire(uri);
      if (!isOpen) {
        isOpen = true;
        await vscode.commands.executeCommand('markdown.showLockedPreviewToSide', uri);
      }
    };
  }

  dispose(): void {
    this.registration?.dispose();
    this.changed.dispose();
  }
}
