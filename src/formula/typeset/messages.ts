/** What host and formula worker say to each other. Types only: whoever imports this loads no renderer. */

export type TypesetRequest =
  /** TeX without the author's own commands, to an SVG image in one colour. */
  | { readonly kind: 'draw'; readonly tex: string; readonly display: boolean; readonly color: string }
  /** How it is read aloud, in the language `locale` (English where that isn't spoken). */
  | { readonly kind: 'speak'; readonly tex: string; readonly display: boolean; readonly locale: string };

export interface Drawing {
  readonly svg: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export type TypesetReply =
  | { readonly kind: 'drawing'; readonly drawing: Drawing }
  | { readonly kind: 'words'; readonly words: string }
  /** The TeX can't be read: MathJax's own sentence. */
  | { readonly kind: 'fault'; readonly message: string };

export interface WorkerMessage {
  readonly id: number;
  readonly request: TypesetRequest;
}
export interface WorkerAnswer {
  readonly id: number;
  readonly reply: TypesetReply;
}
