/**
 * Formulas for features: drawn as an image, put into words. Keeps what it has drawn, refuses what is too long for a
 * hover, and says in a reason why there is no image. Imports no `vscode`.
 */

import type { Drawing, TypesetRequest } from '../../formula/typeset/messages.ts';
import type { MathWorkerClient, WorkerReply } from './mathWorkerClient.ts';

/** Longer TeX is not drawn: the image would be larger than a hover may be, and unreadable. */
export const LONGEST_DRAWN = 4000;
/** Longer TeX is not put into words: nobody listens for that long. */
export const LONGEST_SPOKEN = 1500;
const KEPT = 300;

/** `fault`: the TeX is wrong, MathJax's sentence is in `message`. */
export type Typeset<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'fault'; readonly message: string }
  | { readonly kind: 'too-long' | 'slow' }
  | { readonly kind: 'failed'; readonly message: string };

export interface TexInput {
  /** Without commands of the author's own. */
  readonly tex: string;
  readonly display: boolean;
}

export class MathService {
  private readonly kept = new Map<string, Promise<WorkerReply>>();

  constructor(private readonly worker: Pick<MathWorkerClient, 'ask' | 'dispose'>) {}

  /** @param color of the strokes, such as #cccccc */
  async draw({ tex, display }: TexInput, color: string): Promise<Typeset<Drawing>> {
    if (tex.length > LONGEST_DRAWN) return { kind: 'too-long' };
    const reply = await this.ask({ kind: 'draw', tex, display, color });
    return reply.kind === 'drawing' ? { kind: 'done', value: reply.drawing } : withoutValue(reply);
  }

  async speak({ tex, display }: TexInput, locale: string): Promise<Typeset<string>> {
    if (tex.length > LONGEST_SPOKEN) return { kind: 'too-long' };
    const reply = await this.ask({ kind: 'speak', tex, display, locale });
    return reply.kind === 'words' ? { kind: 'done', value: reply.words } : withoutValue(reply);
  }

  dispose(): void {
    this.worker.dispose();
  }

  /** The same again is not asked twice, not even while it is being drawn. A worker's failure is not kept. */
  private ask(request: TypesetRequest): Promise<WorkerReply> {
    const key = JSON.stringify(request);
    const known = this.kept.get(key);
    if (known !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    const reply = this.worker.ask(request);
    this.kept.set(key, reply);
    const oldest = this.kept.size > KEPT ? this.kept.keys().next().value : undefined;
    if (oldest !== undefined) this.kept.delete(oldest);
    void reply.then(({ kind }) => {
      if (kind === 'failed' && this.kept.get(key) === reply) this.kept.delete(key);
    });
    return reply;
  }
}

function withoutValue(reply: WorkerReply): Exclude<Typeset<never>, { kind: 'done' }> {
  switch (reply.kind) {
    case 'fault':
    case 'failed':
      return { kind: reply.kind, message: reply.message };
    case 'slow':
      return { kind: 'slow' };
    case 'drawing':
    case 'words':
      return { kind: 'failed', message: 'The reply is to another question.' };
    default:
      return reply satisfies never;
  }
}
