/** Counting tokens: the truth of the model's own tokenizer, without weights, beside whatever runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { GenerateEvent } from '../../../src/protocol/engine.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let tiny: TinyModel;
beforeAll(async () => {
  tiny = await importTinyModel();
});
afterAll(() => {
  tiny.remove();
});

describe('countTokens', () => {
  it('is what a run says that its prompt has, for chat and text, and loads no model', async () => {
    const engine = createEngine();
    for (const prompt of [
      { kind: 'chat', messages: [{ role: 'user', content: 'Solve 3x + 5 = 20 for x' }] },
      { kind: 'text', text: 'Solve 3x + 5 = 20 for x' },
    ] as const) {
      const counted = await engine.countTokens({ model: tiny.dir, prompt });
      expect((await engine.status()).loaded).toBeNull();
      const events: GenerateEvent[] = [];
      for await (const event of engine.generate({ model: tiny.dir, prompt, policy: { kind: 'decider' }, maxTokens: 1 })) events.push(event);
      const end = events.at(-1);
      expect(end?.type === 'end' ? end.stats.promptTokens : -1).toBe(counted);
      await engine.unload();
    }
  });

  it('is 0 for an empty text and an error for a folder without a model', async () => {
    const engine = createEngine();
    expect(await engine.countTokens({ model: tiny.dir, prompt: { kind: 'text', text: '' } })).toBe(0);
    await expect(engine.countTokens({ model: '/nowhere', prompt: { kind: 'text', text: 'x' } })).rejects.toMatchObject({ code: 'model.not-found' });
  });
});
