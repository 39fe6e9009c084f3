/** Run files: read whole, read as the head of a list, and written again. */

import { readRunFile, readRunHead, writeRunFile } from '../../../src/host/runFile.ts';
import { keptRun, keptToken } from '../../fixtures/keptRun.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { inventJson, mutateJson } from '../mutate/json.ts';
import { bytesOf, Finding, textOf, type Input, type Subject } from '../target.ts';

const RUNS = [
  keptRun(),
  keptRun({ kind: 'measure', policy: { kind: 'self-oracle' }, answer: null, check: null }),
  keptRun({ branch: { parentId: 'p-1', index: 1, change: { kind: 'token', id: 3, text: ' x' } }, comparison: { id: 'c', role: 'oracle' }, policy: { kind: 'depths', iterCounts: [1, null, 2], threshold: 0.25 }, tokens: [keptToken(0, 'α'), keptToken(1, '', { iterCount: 2, after: [{ id: 9, text: 'b', logprob: -0.1 }] })] }),
  keptRun({ state: 'failed', model: null, provider: null, sampling: null, prompt: [], tokens: [], stats: null, endReason: null, answer: null, check: null, error: { code: 'engine.crashed', message: 'It ended.', hint: 'Again.' }, scope: { state: 'outside', reason: { kind: 'words', words: ['proof'] }, subjects: [{ id: 's', title: 'Sums', example: '1 + 2', range: 'small' }] } }),
];

export function open(): Subject {
  const seeds = RUNS.map((run): Input => ({ part: 'file', data: new TextDecoder().decode(writeRunFile(run)) }));
  return {
    seeds,
    mutate: (seed, random) => {
      const text = textOf(seed);
      if (random.chance(0.15)) return { part: 'file', data: mutateBytes(bytesOf(seed), random) };
      if (random.chance(0.2)) return { part: 'head', data: mutateJson(`{${text.split('\n')[0]?.slice(1).replace(/,$/, '') ?? ''}}`, random) };
      return { part: 'file', data: isJson(text) ? mutateJson(text, random) : mutateBytes(bytesOf(seed), random) };
    },
    invent: (random) => ({ part: random.pick(['file', 'head']), data: random.chance(0.5) ? inventJson(random) : `{"format":"tah-run/1","run":${inventJson(random)},"prompt":[],"tokens":[]}` }),
    run: (input) => {
      if (input.part === 'head') {
        readRunHead(textOf(input).replace(/}$/, ','), 'x.tahrun.json');
        return 'accepted';
      }
      const run = readRunFile(bytesOf(input), 'x.tahrun.json');
      // What is believed can be kept again, and is the same then.
      const again = readRunFile(writeRunFile(run), 'x.tahrun.json');
      if (again.tokens.length !== run.tokens.length || again.id !== run.id) throw new Finding('what was read is another run when it is written and read again');
      return 'accepted';
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
