/** How the command line speaks: colours for people only, progress on standard error, one JSON document for programs. */
import { styleText } from 'node:util';
import { TahError } from '../protocol/errors.ts';

/** Work shorter than this shows no progress. */
const PATIENCE_MS = 1000;
const REDRAW_MS = 100;

type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  readonly json: boolean;
  readonly colours: boolean;
  print(line: string): void;
  /** Without a new line: streamed text. */
  write(text: string): void;
  style(style: Style, text: string): string;
  /** The one document of --json. */
  document(value: unknown): void;
  progress(): Progress;
}

export interface Progress {
  show(text: string): void;
  done(): void;
}

export function createTerminal(options: { readonly json?: boolean }): Terminal {
  const json = options.json === true;
  const colours = !json && process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  return {
    json,
    colours,
    print: (line) => process.stdout.write(`${line}\n`),
    write: (text) => process.stdout.write(text),
    style: (style, text) => (colours ? styleText(style, text) : text),
    document: (value) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: createProgress,
  };
}

/** On a terminal one line that is redrawn, otherwise a line every few seconds; nothing at all for short work. */
function createProgress(): Progress {
  const started = performance.now();
  const redraws = process.stderr.isTTY;
  let last = -Infinity;
  let shown = false;
  return {
    show(text) {
      const now = performance.now();
      if (now - started < PATIENCE_MS || now - last < (redraws ? REDRAW_MS : 5000)) return;
      last = now;
      shown = true;
      process.stderr.write(redraws ? `\r\u001b[K${text}` : `${text}\n`);
    },
    done() {
      if (shown && redraws) process.stderr.write('\r\u001b[K');
    },
  };
}

/** Says what went wrong and returns the exit code: 1 the user's input or files, 2 our fault, 130 stopped by Ctrl+C. */
export function reportError(error: unknown, options: { readonly json?: boolean; readonly verbose?: boolean }): number {
  const failure = TahError.from(error);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ error: failure.toData() }, null, 2)}\n`);
  const hint = failure.hint === undefined ? '' : `\n     ${failure.hint}`;
  process.stderr.write(`tah: ${failure.message}${hint}\n`);
  if (options.verbose === true) process.stderr.write(`${failure.stack ?? ''}\n${failure.cause instanceof Error ? `caused by ${failure.cause.stack ?? ''}\n` : ''}`);
  if (failure.code === 'cancelled') return 130;
  return failure.isUserFault ? 1 : 2;
}

/** Aborted by the first Ctrl+C; the second ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  });
  return controller.signal;
}
