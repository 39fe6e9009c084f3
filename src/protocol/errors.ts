/**
 * Errors that cross rooms and processes.
 * Knows: the code of every failure a user can meet, and whose fault it is. Does not know how an error is shown.
 * Every code is documented in docs/errors.md; a test checks that none is missing.
 */

export const ERROR_CODES = {
  // The user's checkpoint (importer)
  'checkpoint.missing-file': 'user',
  'checkpoint.unreadable': 'user',
  'checkpoint.bad-json': 'user',
  'checkpoint.bad-config': 'user',
  'checkpoint.unsupported-architecture': 'user',
  'checkpoint.bad-safetensors': 'user',
  'checkpoint.missing-tensor': 'user',
  'checkpoint.wrong-shape': 'user',
  'checkpoint.not-finite': 'user',
  'checkpoint.bad-path': 'user',
  'checkpoint.bad-lora': 'user',
  'checkpoint.bad-decider': 'user',
  'checkpoint.forbidden-pickle': 'user',
  'checkpoint.incomplete': 'user',
  'checkpoint.bad-tokenizer': 'user',
  // Writing a model folder
  'import.exists': 'user',
  'import.disk-full': 'user',
  'import.cannot-write': 'user',
  // A model folder that the engine opens
  'model.not-found': 'user',
  'model.bad-manifest': 'user',
  'model.corrupted': 'user',
  'model.bundled-damaged': 'user',
  'model.no-source': 'user',
  'model.no-tokenizer': 'user',
  'model.no-decider': 'user',
  // Downloading a checkpoint
  'hub.no-network': 'user',
  'hub.interrupted': 'user',
  'hub.unauthorized': 'user',
  'hub.forbidden': 'user',
  'hub.not-found': 'user',
  'hub.rate-limited': 'user',
  'hub.server-error': 'user',
  'hub.bad-answer': 'user',
  'hub.bad-path': 'user',
  'hub.not-a-checkpoint': 'user',
  'hub.not-a-data-set': 'user',
  'hub.wrong-length': 'user',
  'hub.wrong-hash': 'user',
  'hub.bad-archive': 'user',
  'hub.disk-full': 'user',
  'hub.cannot-write': 'user',
  'hub.exists': 'user',
  'hub.busy': 'user',
  // Inference
  'engine.provider-unavailable': 'user',
  'engine.out-of-memory': 'user',
  'engine.context-too-long': 'user',
  'engine.bad-request': 'user',
  'engine.busy': 'user',
  'engine.crashed': 'ours',
  'engine.not-starting': 'ours',
  'engine.run-failed': 'ours',
  // An OpenAI-compatible server that is used as the engine
  'endpoint.unknown': 'user',
  'endpoint.unreachable': 'user',
  'endpoint.tls': 'user',
  'endpoint.unauthorized': 'user',
  'endpoint.no-model': 'user',
  'endpoint.busy': 'user',
  'endpoint.refused': 'user',
  'endpoint.failed': 'user',
  'endpoint.not-openai': 'user',
  'endpoint.broken-stream': 'user',
  'endpoint.stalled': 'user',
  'endpoint.cannot': 'user',
  // `tah serve`
  'serve.port-in-use': 'user',
  'serve.cannot-listen': 'user',
  // Command line, evaluation, verification
  'input.bad-option': 'user',
  'input.empty': 'user',
  'input.missing-file': 'user',
  'input.bad-file': 'user',
  // Run files and the history
  'run-file.invalid': 'user',
  'run-file.newer-version': 'user',
  'run-file.cannot-write': 'user',
  'verify.mismatch': 'user',
  cancelled: 'user',
  internal: 'ours',
} as const satisfies Record<string, 'user' | 'ours'>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Of a model folder that was whole once: it can be made again. */
export function isDamage(code: ErrorCode): boolean {
  return code === 'model.corrupted' || code === 'model.bad-manifest';
}

/** The file of a model that can be made again; null where the error is of something else, or names none. */
export function repairableFile({ code, file }: { readonly code: ErrorCode; readonly file?: string | undefined }): string | null {
  return isDamage(code) ? (file ?? null) : null;
}

/** A sentence that l10n/ has translations of under its English, with what fills its holes. */
export interface Phrase {
  readonly text: string;
  readonly values: readonly string[];
}

/** @param text with holes `{0}`, `{1}` …; a literal, so that a test finds it and misses its translations */
export function phrase(text: string, ...values: readonly (string | number)[]): Phrase {
  return { text, values: values.map(String) };
}

function inEnglish({ text, values }: Phrase): string {
  return text.replace(/\{(\d)\}/g, (hole, index: string) => values[Number(index)] ?? hole);
}

export interface TahErrorOptions {
  /** What the user can do next, one sentence. */
  readonly hint?: string | Phrase;
  /** The file that is at fault. */
  readonly file?: string;
  /** Tensor, key or option at fault. */
  readonly subject?: string;
  readonly cause?: unknown;
}

/** An error as it travels over RPC. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly subject?: string;
}

/**
 * A failure in the user's words. `message` is one sentence that names what is wrong; `hint` what to do.
 * Thrown everywhere in the project; anything else that is caught at a door becomes `internal`.
 */
export class TahError extends Error {
  override readonly name = 'TahError';
  readonly hint: string | undefined;
  readonly file: string | undefined;
  readonly subject: string | undefined;
  /** Message and hint as phrases, where they are some: who shows the error says them in the user's language. Not sent to other processes. */
  readonly phrases: { readonly message: Phrase | null; readonly hint: Phrase | null };

  constructor(
    readonly code: ErrorCode,
    message: string | Phrase,
    options: TahErrorOptions = {},
  ) {
    super(typeof message === 'string' ? message : inEnglish(message), options.cause === undefined ? undefined : { cause: options.cause });
    const { hint } = options;
    this.hint = hint === undefined || typeof hint === 'string' ? hint : inEnglish(hint);
    this.phrases = { message: typeof message === 'string' ? null : message, hint: hint === undefined || typeof hint === 'string' ? null : hint };
    this.file = options.file;
    this.subject = options.subject;
  }

  get isUserFault(): boolean {
    return ERROR_CODES[this.code] === 'user';
  }

  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.file === undefined ? {} : { file: this.file }),
      ...(this.subject === undefined ? {} : { subject: this.subject }),
    };
  }

  static fromData(data: ErrorData): TahError {
    return new TahError(data.code, data.message, data);
  }

  /** Any caught value as a TahError: itself, or `internal` with the original as cause. */
  static from(error: unknown): TahError {
    if (error instanceof TahError) return error;
    return new TahError('internal', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
