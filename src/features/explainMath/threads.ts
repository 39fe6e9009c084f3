/**
 * Explanations as comment threads under their formulas: one thread a formula, streamed, drawn again in another theme,
 * stopped and deleted with its document or by the user. Knows how a thread is kept, not what is in it.
 */

import * as vscode from 'vscode';
import { logError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { explanationParts } from './explanation.ts';
import type { ExplanationState, Part } from './explanation.ts';

/** Comments are replaced at most this often while a model writes: each time, the editor draws them anew. */
const REDRAW_MS = 250;

class Note implements vscode.Comment {
  readonly mode = vscode.CommentMode.Preview;
  readonly author: vscode.CommentAuthorInformation;
  readonly body: vscode.MarkdownString;

  constructor({ source, markdown, trusted }: Part) {
    this.author = { name: source };
    this.body = new vscode.MarkdownString(markdown);
    if (trusted) this.body.isTrusted = { enabledCommands: ['thinkAtHard.selectModel'] };
  }
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
    readonly thread: vscode.CommentThread,
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
    if (!this.abort.signal.aborted) this.thread.contextValue = running ? 'thinkAtHard.explaining' : 'thinkAtHard.explained';
  }

  redraw(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.drawing = this.drawing.then(() => this.draw()).catch((error: unknown) => { logError(this.services.log, error); });
  }

  dispose(): void {
    this.abort.abort();
    if (this.timer !== null) clearTimeout(this.timer);
    this.thread.dispose();
  }

  private async draw(): Promise<void> {
    const parts = await explanationParts(this.services.math, this.state);
    if (!this.abort.signal.aborted) this.thread.comments = parts.map((part) => new Note(part));
  }
}

export class ExplanationThreads {
  /** Made at the first explanation: VS Code shows its Comments view as soon as there is one. */
  private controller: vscode.CommentController | null = null;
  private readonly open = new Map<string, ExplanationThread>();
  private readonly following = vscode.Disposable.from(
    vscode.window.onDidChangeActiveColorTheme(() => { for (const explanation of this.open.values()) explanation.redraw(); }),
    vscode.workspace.onDidCloseTextDocument((document) => { this.close((thread) => thread.uri.toString() === document.uri.toString()); }),
  );

  constructor(private readonly services: Services) {}

  /** A new thread under the formula; an earlier one there goes. */
  start(document: vscode.TextDocument, range: vscode.Range, state: ExplanationState): ExplanationThread {
    this.close((thread) => thread.uri.toString() === document.uri.toString() && (thread.range?.isEqual(range) ?? false));
    this.controller ??= vscode.comments.createCommentController('thinkAtHard.explanations', vscode.l10n.t('Explanations of formulas'));
    const thread = this.controller.createCommentThread(document.uri, range, []);
    thread.canReply = false;
    thread.label = vscode.l10n.t('Explanation');
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    const explanation = new ExplanationThread(this.services, thread, state);
    this.open.set(`${document.uri.toString()}#${range.start.line}:${range.start.character}-${range.end.line}:${range.end.character}`, explanation);
    return explanation;
  }

  find(thread: unknown): ExplanationThread | null {
    return [...this.open.values()].find((explanation) => explanation.thread === thread) ?? null;
  }

  delete(thread: unknown): void {
    this.close((other) => other === thread);
  }

  dispose(): void {
    this.following.dispose();
    this.close(() => true);
    this.controller?.dispose();
  }

  private close(which: (thread: vscode.CommentThread) => boolean): void {
    for (const [key, explanation] of this.open) {
      if (!which(explanation.thread)) continue;
      this.open.delete(key);
      explanation.dispose();
    }
  }
}
