/** Main of the check's worker thread: one question in, one reply out, until it is ended (answer/checker.ts). */

import { parentPort } from 'node:worker_threads';
import { checkAnswerNow } from './answer/check.ts';
import type { CheckReply, CheckRequest } from './answer/checker.ts';
import { equivalent } from './answer/equivalence.ts';

const port = parentPort;
if (port === null) throw new Error('checkWorker runs as a worker thread only.');
// A rejection is not caught here: it ends the worker with an error, which the checker reports.
port.on('message', (request: CheckRequest) => void reply(request).then((answer) => { port.postMessage(answer); }));

async function reply(request: CheckRequest): Promise<CheckReply> {
  switch (request.kind) {
    case 'check':
      return { kind: 'check', check: checkAnswerNow(request.problem, request.answer) };
    case 'compare':
      return { kind: 'compare', same: equivalent(request.a, request.b) };
    case 'grade': {
      // Only evaluations grade.
      const { gradeAnswer } = await import('./answer/grade/grade.ts');
      return { kind: 'grade', right: gradeAnswer(request.text, request.reference, request.answers) };
    }
    case 'analyse': {
      // Two computer algebra systems, which a check has no use for.
      const { analyseFormula } = await import('./answer/facts/analyse.ts');
      return { kind: 'analyse', facts: analyseFormula(request.tex) };
    }
    default:
      return request satisfies never;
  }
}
