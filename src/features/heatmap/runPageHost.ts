/**
 * The host's side of one page: answers what the page asks for from its source of runs, sends changes on, and turns
 * intents into commands. A page that was hidden or reloaded says `ready` again, so nothing is kept for it in memory.
 */

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { logError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { repairableFile } from '../../protocol/errors.ts';
import type { HostMessage, RunIntent, WebviewMessage } from '../../protocol/heatmap.ts';
import { readWebviewMessage } from '../../protocol/heatmapMessages.ts';
import { runSnapshot } from '../../protocol/tokenRow.ts';
import { RunExport } from './export/runExport.ts';
import { revealToken } from './measuredDocument.ts';
import { runPage } from './page.ts';
import type { RunSource } from './runSource.ts';

export interface PageEvents {
  /** The page shows this run now; null: it asked for one that is not there. */
  readonly onShow: (runId: string | null) => void;
}

export class RunPageHost {
  private runId: string | null = null;
  /** The page has loaded and listens. */
  private ready = false;
  private readonly exports: RunExport;

  constructor(private readonly webview: vscode.Webview, private readonly source: RunSource, private readonly services: Services, private readonly events: PageEvents) {
    this.exports = new RunExport(services, (message) => {
      this.post(message);
    });
    const { extensionUri } = services;
    const file = (...parts: string[]): string => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist'), vscode.Uri.joinPath(extensionUri, 'media')],
    };
    webview.onDidReceiveMessage((value: unknown) => {
      const message = readWebviewMessage(value);
      if (message === null) services.log.warn('The run panel sent a message that is not known.');
      else this.receive(message);
    });
    webview.html = runPage({
      nonce: randomBytes(16).toString('hex'),
      cspSource: webview.cspSource,
      script: file('dist', 'webview.js'),
      styles: [file('dist', 'codicons', 'codicon.css'), file('media', 'panel.css')],
      language: vscode.env.language,
      title: 'Think-at-Hard',
    });
  }

  get shown(): string | null {
    return this.runId;
  }

  show(runId: string | null): void {
    this.runId = runId;
    this.sendRun();
  }

  /** The page is no longer in view: VS Code throws its document away. */
  hide(): void {
    this.ready = false;
  }

  post(message: HostMessage): void {
    if (!this.ready || ('runId' in message && message.runId !== this.runId)) return;
    void this.webview.postMessage(message);
  }

  /** A run was added or has ended: the relatives of the one that is shown may be others. */
  sendFamily(): void {
    if (this.runId !== null) this.post({ type: 'family', runId: this.runId, family: this.source.family(this.runId) });
  }

  /** Shows the run; one of the window before is looked for first. */
  private async load(runId: string | null): Promise<void> {
    this.runId = runId;
    try {
      if (runId !== null) await this.source.load(runId);
    } catch (error) {
      logError(this.services.log, error);
    }
    // Another one may have been asked for meanwhile.
    if (this.runId === runId) this.sendRun();
  }

  private receive(message: WebviewMessage): void {
    switch (message.type) {
      case 'ready':
        this.ready = true;
        void this.load(this.runId ?? message.runId);
        return;
      case 'tokens':
        this.sendTokens(message.runId, message.from, message.to);
        return;
      case 'show':
        void this.load(message.runId);
        return;
      case 'relative':
        this.sendRelative(message.runId, message.relativeId);
        return;
      case 'select':
        this.reveal(message.runId, message.index);
        return;
      case 'export': {
        const run = this.source.get(message.runId);
        if (run !== null) void this.exports.start(run, message.format, message.palette);
        return;
      }
      case 'drawn':
        this.exports.drawn(message.runId, message.png);
        return;
      case 'repair':
        this.repair(message.runId);
        return;
      case 'selectModel':
        this.command('thinkAtHard.selectModel');
        return;
      case 'showLog':
        this.services.log.show();
        return;
      case 'regenerate':
        this.command('thinkAtHard.regenerate', message.runId, message.index, message.change);
        return;
      case 'solve':
        this.command('thinkAtHard.solve');
        return;
      case 'stop':
      case 'insert':
      case 'replace':
      case 'copy':
      case 'retry':
      case 'history':
        this.command(COMMANDS[message.type], message.runId);
        return;
      default:
        message satisfies never;
    }
  }

  private repair(runId: string): void {
    const error = this.source.get(runId)?.error ?? null;
    const file = error === null ? null : repairableFile(error);
    // A run file may come from anybody: the path in it says nothing of this machine.
    if (file !== null && this.source.kind === 'live') this.command('thinkAtHard.repairModel', file);
  }

  private command(name: string, ...args: readonly unknown[]): void {
    vscode.commands.executeCommand(name, ...args).then(undefined, (error: unknown) => {
      logError(this.services.log, error);
    });
  }

  private sendRun(): void {
    if (!this.ready) return;
    const run = this.runId === null ? null : this.source.get(this.runId);
    const texts = panelTexts();
    this.events.onShow(run?.id ?? null);
    if (run === null) this.post({ type: 'gone', texts });
    else this.post({ type: 'snapshot', run: runSnapshot(run), family: this.source.family(run.id), source: this.source.kind, texts });
  }

  private sendTokens(runId: string, from: number, to: number): void {
    const run = this.source.get(runId);
    if (run !== null) this.post({ type: 'tokens', runId, tokens: run.tokens.slice(from, to) });
  }

  private sendRelative(runId: string, relativeId: string): void {
    const run = this.source.get(relativeId);
    this.post({ type: 'relative', runId, relativeId, run: run === null ? null : runSnapshot(run) });
  }

  private reveal(runId: string, index: number): void {
    const run = this.source.get(runId);
    if (run?.kind !== 'measure' || this.source.kind === 'file') return;
    revealToken(this.services, run, index).catch((error: unknown) => {
      logError(this.services.log, error);
    });
  }
}

const COMMANDS: Readonly<Record<RunIntent, string>> = {
  stop: 'thinkAtHard.stop',
  insert: 'thinkAtHard.insertAnswer',
  replace: 'thinkAtHard.replaceProblem',
  copy: 'thinkAtHard.copyAnswer',
  retry: 'thinkAtHard.retry',
  history: 'thinkAtHard.showHistory',
};

/** Translations of this language; English needs none. */
function panelTexts(): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [message, text] of Object.entries(vscode.l10n.bundle ?? {})) {
    if (typeof text === 'string') texts[message] = text;
  }
  return texts;
}
