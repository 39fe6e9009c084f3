/** Two windows import into one folder at once: what is there in the end is one of the two, whole, and nothing beside it. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelStore } from '../../src/host/models.ts';
import { openModelFolder } from '../../src/engine/modelFolder.ts';
import { TahError } from '../../src/protocol/errors.ts';
import { BUNDLED, checkWholeModel, type Bench } from '../fixtures/stress/bench.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';

export async function importTwice(report: Report, bench: Bench, _: unknown, random: Random, times: number): Promise<void> {
  const windows = [bench.window(), bench.window()] as const;
  const importIt = async (window: (typeof windows)[number], out: string, quantization: 'fp32' | 'int8', replace: boolean): Promise<TahError | null> => {
    try {
      for await (const event of window.engine.import({ checkpoint: BUNDLED, out, quantization, replace })) if (event.type === 'done') return null;
      return new TahError('internal', 'it ended without saying so');
    } catch (error) {
      return TahError.from(error);
    }
  };
  // Both processes are there before it counts.
  const warm = bench.folder('models');
  for (const [index, window] of windows.entries()) check((await importIt(window, path.join(warm, String(index)), 'fp32', false)) === null, 'the import without a fault failed');
  for (const replace of [true, false]) {
    const won = [0, 0];
    await report.row(`two windows import one model${replace ? ', both may replace it' : ''}`, Math.max(2, Math.round(times / 10)), async (index) => {
      const imported = bench.folder('models');
      const out = path.join(imported, 'model');
      if (replace && index % 2 === 0) check((await importIt(windows[0], out, 'fp32', false)) === null, 'the first import failed');
      const late = random.next() * 60;
      const errors = await Promise.all([importIt(windows[0], out, 'fp32', replace), sleep(late).then(() => importIt(windows[1], out, 'int8', replace))]);
      await checkWholeModel(out);
      check(fs.readdirSync(imported).join() === 'model', `beside the model: ${fs.readdirSync(imported).join(', ')}`);
      const { models, broken } = await new ModelStore({ bundled: imported, imported, folders: () => [] }).list();
      check(models.length === 1 && broken.length === 0, 'the list of models is wrong');
      const failed = errors.filter((error) => error !== null);
      check(failed.every((error) => error.code === 'import.exists'), `an error that is none of these two: ${failed.map(String).join('; ')}`);
      check(failed.length === (replace ? 0 : 1), `${failed.length} of the two failed: ${failed.map(String).join('; ')}`);
      const { quantization } = openModelFolder(out).info;
      won[quantization === 'fp32' ? 0 : 1] = (won[quantization === 'fp32' ? 0 : 1] ?? 0) + 1;
      fs.rmSync(imported, { recursive: true });
    }, () => `${won.join(' and ')} ended with the one and the other window's`);
  }
  await Promise.all(windows.map((window) => window.close()));
}
