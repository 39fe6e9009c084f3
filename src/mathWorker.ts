/** Main of the formula worker: draws formulas and puts them into words, one request after another, until it is ended. */

import { parentPort, workerData } from 'node:worker_threads';
import { TexFault, createMathJax } from './formula/typeset/mathjax.ts';
import type { TypesetReply, TypesetRequest, WorkerAnswer, WorkerMessage } from './formula/typeset/messages.ts';
import { speak } from './formula/typeset/speech.ts';

const port = parentPort;
if (port === null) throw new Error('mathWorker runs as a worker thread only.');

const { rules } = workerData as { readonly rules: string };
const mathJax = createMathJax();

port.postMessage('ready');

let last: Promise<void> = Promise.resolve();
port.on('message', (message: WorkerMessage) => {
  last = last.then(async () => {
    port.postMessage({ id: message.id, reply: await reply(message.request) } satisfies WorkerAnswer);
  });
});

async function reply(request: TypesetRequest): Promise<TypesetReply> {
  try {
    switch (request.kind) {
      case 'draw':
        return { kind: 'drawing', drawing: mathJax.draw(request.tex, request.display, request.color) };
      case 'speak':
        return { kind: 'words', words: await speak(mathJax.mathMl(request.tex, request.display), request.locale, rules) };
      default:
        return request satisfies never;
    }
  } catch (error) {
    if (error instanceof TexFault) return { kind: 'fault', message: error.message };
    // Nested too deeply for the stack: as far as the author is concerned, a fault of the formula.
    if (error instanceof RangeError) return { kind: 'fault', message: 'It is nested too deeply' };
    throw error;
  }
}
