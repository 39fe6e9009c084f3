/**
 * Explanations as comment threads under their formulas: one thread a formula, streamed, drawn again in another theme,
 * stopped and deleted with its document or by the user. Knows how a thread is kept, not what is in it.
 */

import * as vscode from 'vscode';
import { logError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { EXPLANATION_COMMAND } from './commandLink.ts';
import { explanationParts } from './explanation.ts';
import type { ExplanationState, Part } from './explanation.ts';
import { openExplanationPanel } from './explanationPanels.ts';

/** Comments are replaced at most this often while a model writes: each time, the editor draws them anew. */
const REDRAW_MS = 250;

const CELL = 'vscode-notebook-cell';

class Note implements vscode.Comment {
  readonly mode = vscode.CommentMode.Preview;
  readonly author: vscode.CommentAuthorInformation;
  readonly body: vscode.MarkdownString;

  constructor({ source, markdown, trusted }: Part) {
    this.author = { name: source };
    this.body = new vscode.MarkdownString(markdown);
    if (trusted) this.body.isTrusted = { enabledCommands: [EXPLANATION_COMMAND] };
  }
}

/** Where an explanation is shown. */
export interface Surface {
  /** Null where it is shown in another way. */
  readonly thread: vscode.CommentThread | null;
  /** Of the document, or the cell. */
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
  readonly show: (parts: readonly Part[]) => Promise<void>;
  readonly dispose: () => void;
}

/** One explanation on the screen. */
export class ExplanationThread {
  private timer: NodeJS.Timeout | null = null;
  private drawing: Promise<void> = Promise.resolve();
  readonly abort = new AbortController();
  /** Ends the model's run; null where none is under way. */
  stop: (() => void) | null = null;

  constructor(
    private readonly services: Services,
    readonly surface: Surface,
    private state: ExplanationState,
  ) {
    this.setRunning(true);
    this.redraw();
  }

  get current(): ExplanationState {
    return this.state;
  }

  update(change: Partial<ExplanationState>): void {
    this.state = { ...this.state, ...change };
    this.timer ??= setTimeout(() => { this.redraw(); }, REDRAW_MS);
  }

  /** The menu of the thread offers Stop, or Explain Again. */
  setRunning(running: boolean): void {
    const { thread } = this.surface;
    if (!this.abort.signal.aborted && thread !== null) thread.contextValue = running ? 'thinkAtHard.explaining' : 'thinkAtHard.explained';
  }

  redraw(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.drawing = this.drawing.then(() => this.draw()).catch((error: unknown) => { logError(this.services.log, error); });
  }

  dispose(): void {
    this.abort.abort();
    if (this.timer !== null) clearTimeout(this.timer);
    this.surface.dispose();
  }

  private async draw(): Promise<void> {
    const parts = await explanationParts(this.services.math, this.state);
    if (!this.abort.signal.aborted) await this.surface.show(parts);
  }
}

export class ExplanationThreads {
  /** Made at the first explanation: VS Code shows its Comments view as soon as there is one. */
  private controller: vscode.CommentController | null = null;
  private readonly open = new Map<string, ExplanationThread>();
  private readonly following = vscode.Disposable.from(
    vscode.window.onDidChangeActiveColorTheme(() => { for (const explanation of this.open.values()) explanation.redraw(); }),
    vscode.workspace.onDidCloseTextDocument((document) => { this.close(({ uri }) => uri.toString() === document.uri.toString()); }),
  );

  constructor(private readonly services: Services) {}

  /** A new thread under the formula, or a page beside its notebook; an earlier one there goes. */
  start(document: vscode.TextDocument, range: vscode.Range, state: ExplanationState): ExplanationThread {
    this.close(({ uri, thread, range: other }) => uri.toString() === document.uri.toString() && (thread?.range ?? other).isEqual(range));
    const surface = document.uri.scheme === CELL ? this.panelOf(document, range, state.input.tex) : this.threadAt(document, range);
    const explanation = new ExplanationThread(this.services, surface, state);
    this.open.set(`${document.uri.toString()}#${range.start.line}:${range.start.character}-${range.end.line}:${range.end.character}`, explanation);
    return explanation;
  }

  private threadAt(document: vscode.TextDocument, range: vscode.Range): Surface {
    this.controller ??= vscode.comments.createCommentController('thinkAtHard.explanations', vscode.l10n.t('Explanations of formulas'));
    const thread = this.controller.createCommentThread(document.uri, range, []);
    thread.canReply = false;
    thread.label = vscode.l10n.t('Explanation');
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    const show = (parts: readonly Part[]): Promise<void> => {
      thread.comments = parts.map((part) => new Note(part));
      return Promise.resolve();
    };
    return { thread, uri: document.uri, range, show, dispose: () => { thread.dispose(); } };
  }

  private panelOf({ uri }: vscode.TextDocument, range: vscode.Range, tex: string): Surface {
    const panel = openExplanationPanel(this.services.extensionUri, tex, () => { this.close((other) => other === surface); });
    const surface: Surface = { thread: null, uri, range, ...panel };
    return surface;
  }

  find(thread: unknown): ExplanationThread | null {
    return [...this.open.values()].find(({ surface }) => surface.thread !== null && surface.thread === thread) ?? null;
  }

  delete(thread: unknown): void {
    this.close((surface) => surface.thread !== null && surface.thread === thread);
  }

  dispose(): void {
    this.following.dispose();
    this.close(() => true);
    this.controller?.dispose();
  }

  private close(which: (surface: Surface) => boolean): void {
    for (const [key, explanation] of this.open) {
      if (!which(explanation.surface)) continue;
      this.open.delete(key);
      explanation.dispose();
    }
  }
}
