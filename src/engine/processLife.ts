/**
 * The life of the engine process: it serves the process that forked it, and ends with it.
 * Messages use the IPC channel, so whatever a library prints to stdout or stderr can't corrupt them.
 * Knows the process, not the engine.
 */

import { writeSync } from 'node:fs';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { EngineApi } from '../protocol/engine.ts';
import type { ImporterApi } from '../protocol/importer.ts';
import { LAST_WORDS_MS, watchParent } from './parentWatch.ts';
import { serve, stackOf } from './server.ts';

/** The child's own exit codes; `engine.crashed` shows them. */
const EXIT = { ended: 0, notForked: 1, uncaught: 2 } as const;

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
  watchParent(print);
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
    // A run or an import may stop cleanly (an import removes its temporary folder).
    setTimeout(() => process.exit(EXIT.ended), LAST_WORDS_MS);
    void served.abort().then(() => process.exit(EXIT.ended));
  });
  connection.listen();
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
