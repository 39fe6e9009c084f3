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
  /** The one document of --json: nothing that is said later, a failure included, makes a second one. */
  document(value: unknown): void;
  progress(): Progress;
}

export interface Progress {
  show(text: string): void;
  done(): void;
}

export function createTerminal(options: { readonly json?: boolean }): Terminal {
  const json = options.json === true;
  let documented = false;
  const colours = !json && process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  return {
    json,
    colours,
    print: (line) => process.stdout.write(`${line}\n`),
    write: (text) => process.stdout.write(text),
    style: (style, text) => (colours ? styleText(style, text) : text),
    document: (value) => {
      if (!documented) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      documented = true;
    },
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

/** Exit codes of a command that a signal has stopped: 128 + its number. */
const STOPS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Stop = keyof typeof STOPS;

/** Says what went wrong and returns the exit code: 1 the user's input or files, 2 our fault, above 128 stopped by a signal. */
export function reportError(error: unknown, terminal: Terminal, options: { readonly verbose?: boolean; readonly signal: AbortSignal }): number {
  const failure = TahError.from(error);
  if (terminal.json) terminal.document({ error: failure.toData() });
  const hint = failure.hint === undefined ? '' : `\n     ${failure.hint}`;
  // A message may quote a file; no line break or escape sequence of it reaches the terminal.
  process.stderr.write(`tah: ${failure.message.replace(/\p{Cc}+/gu, ' ')}${hint}\n`);
  if (options.verbose === true) process.stderr.write(`${failure.stack ?? ''}\n${failure.cause instanceof Error ? `caused by ${failure.cause.stack ?? ''}\n` : ''}`);
  if (failure.code === 'cancelled') return exitCodeOf(options.signal);
  return failure.isUserFault ? 1 : 2;
}

/** Aborted by the first Ctrl+C (or another request to end), so that the work cleans up; the second ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const stop of Object.keys(STOPS) as Stop[]) {
    process.on(stop, () => {
      if (controller.signal.aborted) process.exit(STOPS[stop]);
      controller.abort(stop);
    });
  }
  return controller.signal;
}

function exitCodeOf(signal: AbortSignal): number {
  return STOPS[signal.reason as Stop | undefined ?? 'SIGINT'];
}
