/** A model folder changes between two runs: refused by the name of the file, and whole again after a repair. */
import fs from 'node:fs';
import path from 'node:path';
import { openModelFolder } from '../../src/engine/modelFolder.ts';
import { BUNDLED, checkWholeModel, idsOf, type Bench } from '../fixtures/stress/bench.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';

const DAMAGES = ['a byte flipped', 'cut short', 'emptied', 'removed', 'zeroed in the middle'] as const;

/** Every kind of damage to every file, or so many of them as `times` says. */
export async function corruptModels(report: Report, bench: Bench, _: unknown, random: Random, times: number): Promise<void> {
  const window = bench.window();
  const model = path.join(bench.folder('models'), 'model');
  const importIt = async (): Promise<void> => {
    for await (const event of window.engine.import({ checkpoint: BUNDLED, out: model, quantization: 'fp32', replace: true })) if (event.type === 'done') return;
  };
  const solve = async () => window.ended(window.runs.start({ model, policy: { kind: 'decider' }, problem: 'What is $12 + 7$?', sampling: { temperature: 0 }, maxTokens: 8 }));
  await importIt();
  const whole = await solve();
  const names = [...openModelFolder(model).manifest.files.map((file) => file.path), 'manifest.json'];
  for (const damage of DAMAGES) {
    const chosen = times >= names.length * DAMAGES.length ? names : names.filter(() => random.next() < times / (names.length * DAMAGES.length)).concat('model.onnx.data');
    await report.row(`model folder: a file ${damage}`, new Set(chosen).size, async (index) => {
      const name = [...new Set(chosen)][index] ?? '';
      const file = path.join(model, name);
      const before = fs.readFileSync(file);
      hurt(file, before, damage, random);
      // An open session keeps what it has read: the damage counts at the next load.
      await window.engine.unload();
      const run = await solve();
      check(run.state === 'failed' && run.tokens.length === 0, `the run with the damaged ${name} ended as ${run.state}`);
      check(run.error !== null && ['model.corrupted', 'model.bad-manifest', 'model.not-found'].includes(run.error.code), `${name}: ${run.error?.code ?? ''}`);
      check(name === 'manifest.json' || run.error.file === file, `the error names ${run.error.file ?? 'no file'} instead of ${file}`);
      check((run.error.hint ?? '').includes('mport'), `the hint is no help: ${run.error.hint ?? ''}`);
      // Imported again, it is whole; where the manifest is gone, what is left is removed first, as the repair does.
      if (name === 'manifest.json') fs.rmSync(model, { recursive: true });
      await importIt();
      await checkWholeModel(model);
      const next = await solve();
      check(next.state === 'done' && JSON.stringify(idsOf(next)) === JSON.stringify(idsOf(whole)), `after the repair: ${next.error?.message ?? 'other tokens'}`);
    });
  }
  await window.close();
}

function hurt(file: string, before: Buffer, damage: (typeof DAMAGES)[number], random: Random): void {
  const at = random.below(Math.max(1, before.length));
  switch (damage) {
    case 'a byte flipped': {
      const after = Buffer.from(before);
      // In a manifest, a byte that makes it another one for sure: its first brace.
      const place = path.basename(file) === 'manifest.json' ? 0 : at;
      after[place] = (after[place] ?? 0) ^ (1 + random.below(255));
      fs.writeFileSync(file, after);
      return;
    }
    case 'cut short':
      fs.writeFileSync(file, before.subarray(0, at));
      return;
    case 'emptied':
      fs.writeFileSync(file, '');
      return;
    case 'removed':
      fs.rmSync(file);
      return;
    case 'zeroed in the middle':
      fs.writeFileSync(file, Buffer.concat([before.subarray(0, before.length >> 2), Buffer.alloc(before.length >> 1), before.subarray((before.length >> 2) + (before.length >> 1))]));
      return;
    default:
      damage satisfies never;
  }
}
