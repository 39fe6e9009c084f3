/**
 * The formula worker, asked one thing at a time with a time limit: MathJax can't be interrupted, so a formula that
 * takes too long costs its worker, and the next request starts a new one. Imports no `vscode`; knows no mathematics.
 */

import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TypesetReply, TypesetRequest, WorkerAnswer, WorkerMessage } from '../../formula/typeset/messages.ts';

export interface MathWorkerOptions {
  /** The bundled src/mathWorker.ts; its language files lie in `mathmaps` beside it. */
  readonly workerPath: string;
  /** Milliseconds for one formula, the worker's start not included. Default 3000. */
  readonly timeoutMs?: number;
  /** Milliseconds for the worker's start, which a busy machine makes long. Default 20 000. */
  readonly startMs?: number;
  /** The worker ends after this long without a request and gives its memory back. Default 5 minutes. */
  readonly idleMs?: number;
}

/** `slow`: stopped at the time limit. `failed`: the worker ended by itself, with its reason. */
export type WorkerReply = TypesetReply | { readonly kind: 'slow' } | { readonly kind: 'failed'; readonly message: string };

interface Waiting {
  readonly request: TypesetRequest;
  readonly resolve: (reply: WorkerReply) => void;
}

const MEMORY = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 };

export class MathWorkerClient {
  private worker: Worker | null = null;
  private started = false;
  private readonly queue: Waiting[] = [];
  private current: Waiting | null = null;
  private timer: NodeJS.Timeout | null = null;
  private nextId = 0;
  private disposed = false;

  constructor(private readonly options: MathWorkerOptions) {}

  /** Never rejects. */
  ask(request: TypesetRequest): Promise<WorkerReply> {
    return new Promise((resolve) => {
      if (this.disposed) resolve({ kind: 'failed', message: 'The window is closing.' });
      else {
        this.queue.push({ request, resolve });
        this.next();
      }
    });
  }

  dispose(): void {
    this.disposed = true;
    this.endWorker();
    const waiting = [...(this.current === null ? [] : [this.current]), ...this.queue.splice(0)];
    this.current = null;
    for (const { resolve } of waiting) resolve({ kind: 'failed', message: 'The window is closing.' });
  }

  private next(): void {
    if (this.current !== null) return;
    const next = this.queue.shift();
    if (next === undefined) {
      this.after(this.options.idleMs ?? 300_000, () => { this.endWorker(); });
      return;
    }
    this.current = next;
    const worker = (this.worker ??= this.startWorker());
    const { timeoutMs = 3000, startMs = 20_000 } = this.options;
    this.after(this.started ? timeoutMs : timeoutMs + startMs, () => {
      this.endWorker();
      this.finish({ kind: 'slow' });
    });
    this.nextId += 1;
    worker.postMessage({ id: this.nextId, request: next.request } satisfies WorkerMessage);
  }

  private finish(reply: WorkerReply): void {
    const done = this.current;
    this.current = null;
    this.clearTimer();
    done?.resolve(reply);
    if (!this.disposed) this.next();
  }

  private startWorker(): Worker {
    const rules = path.join(path.dirname(this.options.workerPath), 'mathmaps');
    const worker = new Worker(this.options.workerPath, { workerData: { rules }, resourceLimits: MEMORY, stdout: true, stderr: true });
    this.started = false;
    const lost = (message: string): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.finish({ kind: 'failed', message });
    };
    worker.on('message', (answer: WorkerAnswer | 'ready') => {
      if (this.worker !== worker) return;
      if (answer === 'ready') this.onReady();
      else if (answer.id === this.nextId) this.finish(answer.reply);
    });
    worker.on('error', (error) => { lost(error instanceof Error ? error.message : String(error)); });
    worker.on('exit', (code) => { lost(`exit code ${code}`); });
    worker.unref();
    return worker;
  }

  /** From now on the formula alone is timed. */
  private onReady(): void {
    this.started = true;
    if (this.current === null) return;
    this.after(this.options.timeoutMs ?? 3000, () => {
      this.endWorker();
      this.finish({ kind: 'slow' });
    });
  }

  private endWorker(): void {
    this.clearTimer();
    const worker = this.worker;
    this.worker = null;
    void worker?.terminate();
  }

  private after(ms: number, action: () => void): void {
    this.clearTimer();
    this.timer = setTimeout(action, ms);
    this.timer.unref();
  }

  private clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
