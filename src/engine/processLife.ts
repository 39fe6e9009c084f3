/**
 * The life of the engine process: it serves the process that forked it, and ends with it.
 * Messages use the IPC channel, so whatever a library prints to stdout or stderr can't corrupt them.
 * Knows the process, not the engine.
 */

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { EngineApi } from '../protocol/engine.ts';
import type { ImporterApi } from '../protocol/importer.ts';
import { serve, stackOf } from './server.ts';

/** The child's own exit codes; `engine.crashed` shows them. */
const EXIT = { ended: 0, notForked: 1, uncaught: 2 } as const;

/** How long a run or an import may take to stop cleanly (an import removes its temporary folder). Milliseconds. */
const LAST_WORDS_MS = 800;
const WATCH_MS = 400;

export interface ProcessLifeOptions {
  readonly createEngine: () => EngineApi;
  readonly createImporter: () => ImporterApi;
  /** Default: this bundle's. */
  readonly build?: string;
}

/** Serves the parent process until it goes away. Ends the process itself: exit code 0, or 2 after an uncaught error. */
export function serveParent(options: ProcessLifeOptions): void {
  process.on('uncaughtException', (error) => { die(`uncaught: ${stackOf(error)}`); });
  process.on('unhandledRejection', (error) => { die(`unhandled rejection: ${stackOf(error)}`); });
  if (process.send === undefined) {
    print('This program is started by the extension, not by hand.');
    process.exit(EXIT.notForked);
  }
  watchParent();
  const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process), {
    error: print,
    warn: print,
    info: print,
    log: print,
  });
  connection.onError(([error]) => { print(`connection: ${error.message}`); });
  const served = serve(options.createEngine(), options.createImporter(), connection, {
    logError: print,
    ...(options.build === undefined ? {} : { build: options.build }),
  });
  process.once('disconnect', () => {
    setTimeout(() => process.exit(EXIT.ended), LAST_WORDS_MS);
    void served.abort().then(() => process.exit(EXIT.ended));
  });
  connection.listen();
}

/**
 * The channel's end is seen by the event loop, which a long native call blocks. So a thread of its own watches the
 * parent, and ends this process when the parent is gone and the clean way took too long.
 */
function watchParent(): void {
  const source = `
    const parent = process.ppid;
    function gone() {
      if (process.ppid !== parent) return true;
      try { process.kill(parent, 0); return false; } catch (error) { return error.code === 'ESRCH'; }
    }
    const timer = setInterval(() => {
      if (!gone()) return;
      clearInterval(timer);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${LAST_WORDS_MS + 200});
    }, ${WATCH_MS});
  `;
  const worker = new Worker(source, { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } });
  worker.on('error', (error) => { print(`The watch over the parent process failed: ${error.message}`); });
  worker.unref();
}

function die(text: string): never {
  print(text);
  process.exit(EXIT.uncaught);
}

/** Written at once: what goes through process.stderr can be lost when the process ends. */
function print(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch (error) {
    // A full pipe that doesn't block takes it later. A closed one means that nobody is left to tell.
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') process.stderr.write(`${text}\n`);
  }
}
