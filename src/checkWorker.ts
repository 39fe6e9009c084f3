/** Main of the check's worker thread: one question in, one reply out, until it is ended (answer/checker.ts). */

import { parentPort } from 'node:worker_threads';
import { checkAnswerNow } from './answer/check.ts';
import type { CheckReply, CheckRequest } from './answer/checker.ts';
import { equivalent } from './answer/equivalence.ts';

const port = parentPort;
if (port === null) throw new Error('checkWorker runs as a worker thread only.');
port.on('message', (request: CheckRequest) => {
  port.postMessage(reply(request));
});

function reply(request: CheckRequest): CheckReply {
  switch (request.kind) {
    case 'check':
      return { kind: 'check', check: checkAnswerNow(request.problem, request.answer) };
    case 'compare':
      return { kind: 'compare', same: equivalent(request.a, request.b) };
    default:
      return request satisfies never;
  }
}
