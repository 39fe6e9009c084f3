/**
 * A host that a test kills: starts an engine and has it do ACTIVITY (solve, measure, import, idle) again and again.
 * MODEL, CHECKPOINT and OUT as further arguments. Prints a line when the engine has begun.
 */
import path from 'node:path';
import { createEngineClient } from '../../../src/host/engineClient.ts';

const [, , activity, model, checkpoint, out] = process.argv;
if (activity === undefined || model === undefined || checkpoint === undefined || out === undefined) throw new Error('usage: hostProgram ACTIVITY MODEL CHECKPOINT OUT');
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const engine = createEngineClient({ entry: path.join(import.meta.dirname, 'engineProcess.cjs'), log: quiet });
let told = false;

function tell(): void {
  if (!told) process.stdout.write('begun\n');
  told = true;
}

async function once(): Promise<void> {
  const request = { model: model ?? '', policy: { kind: 'decider' } } as const;
  switch (activity) {
    case 'solve':
      for await (const event of engine.generate({ ...request, prompt: { kind: 'chat', messages: [{ role: 'user', content: 'What is $48271 + 9356$?' }] }, maxTokens: 400 })) if (event.type === 'token') tell();
      return;
    case 'measure':
      for await (const event of engine.measure({ ...request, text: 'Ones: $1+6=7$ and tens: $7+5=12$. '.repeat(20) })) if (event.type === 'start') tell();
      return;
    case 'import':
      for await (const event of engine.import({ checkpoint: checkpoint ?? '', out: out ?? '', quantization: 'fp32', replace: true })) if (event.type === 'progress') tell();
      return;
    case 'idle':
      await engine.load(model ?? '');
      tell();
      await new Promise((resolve) => setTimeout(resolve, 600_000));
      return;
    case undefined:
    default:
      throw new Error(`no activity ${activity ?? ''}`);
  }
}

async function forEver(): Promise<never> {
  for (;;) await once();
}

void forEver();
