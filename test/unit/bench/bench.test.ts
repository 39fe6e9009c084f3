/** What the bench stands on: files for other programs, shares, ratios, and the measure of agreement. Its times are nobody's test. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreement, divergence } from '../../../src/bench/agreement.ts';
import { half, quantized, writeGguf } from '../../../src/bench/gguf.ts';
import { everyNth, ourAnswers } from '../../../src/bench/ours.ts';
import { growthPlot } from '../../../src/bench/plot.ts';
import { table } from '../../../src/bench/report.ts';
import { ratios, spreadOf } from '../../../src/bench/statistics.ts';
import { writeRandomCheckpoint } from '../../../src/cli/randomCheckpoint.ts';
import { halfToFloat } from '../../../src/importer/checkpoint/floatFormats.ts';
import { openCheckpoint } from '../../../src/importer/checkpoint/openCheckpoint.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let folder = '';
let checkpoint = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-bench-'));
  checkpoint = path.join(folder, 'checkpoint');
  writeRandomCheckpoint('tiny', checkpoint, 3, true);
});
afterAll(() => { fs.rmSync(folder, { recursive: true }); });

describe('a random Think-at-Hard checkpoint', () => {
  it('is believed by the reader of checkpoints, its decider and LoRA too', () => {
    const opened = openCheckpoint(checkpoint, {});
    try {
      expect(opened.tah?.decider.read('combined_projection.weight').data.some((value) => value !== 0)).toBe(true);
      expect(opened.tah?.lora.read(1, 'mlp.down_proj').b).toHaveLength(64 * 16);
    } finally {
      opened.close();
    }
  });

  it('has the base weights of the plain one', () => {
    const plain = path.join(folder, 'plain');
    writeRandomCheckpoint('tiny', plain, 3);
    expect(fs.readFileSync(path.join(plain, 'model.safetensors')).equals(fs.readFileSync(path.join(checkpoint, 'model.safetensors')))).toBe(true);
  });
});

describe('GGUF', () => {
  it('has halves that are the nearest ones', () => {
    for (const value of [0, 1, -1, 0.1, -0.3333, 1e-3, 65504, 6.1035e-5]) {
      expect(Math.abs((halfToFloat()[half(value)] ?? NaN) - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
    }
    expect(half(1e-9)).toBe(0);
    expect(() => half(1e6)).toThrow(RangeError);
  });

  it('has blocks that give their values back, the largest exactly', () => {
    const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + 1));
    const bytes = quantized(values);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 64; i++) {
      const at = Math.floor(i / 32) * 18;
      const scale = halfToFloat()[view.getUint16(at, true)] ?? NaN;
      const byte = view.getUint8(at + 2 + (i % 16));
      const code = i % 32 < 16 ? byte & 15 : byte >> 4;
      expect(Math.abs((code - 8) * scale - (values[i] ?? NaN))).toBeLessThanOrEqual(Math.abs(scale) * 1.001);
    }
  });

  it('is a file of the size that its header says, aligned', () => {
    const file = path.join(folder, 'model.gguf');
    writeGguf(checkpoint, file);
    const bytes = fs.readFileSync(file);
    expect(bytes.toString('latin1', 0, 4)).toBe('GGUF');
    expect(bytes.readBigUInt64LE(8)).toBe(2n + 2n * 11n);
    expect(bytes.length % 32).toBe(0);
    // The embedding alone: 512 · 64 values, 18 bytes for 32 of them.
    expect(bytes.length).toBeGreaterThan(512 * 64 * (18 / 32));
  });
});

describe('what is said of times', () => {
  it('is the median with its extremes, and ratios within a round', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
    expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
    // A round that was slow for both leaves its ratio alone.
    expect(ratios([2, 20, 2], [1, 10, 1])).toEqual({ median: 2, low: 2, high: 2 });
  });

  it('says of what is missing that and why it was not measured', () => {
    expect(table([{ measure: 'decode', goal: '<= 1.1', absent: 'npm failed' }]).join('\n')).toContain('not measured: npm failed');
  });

  it('is plotted with a point for each context', () => {
    const points = [64, 512].map((context) => ({ context, ms: spreadOf([context / 10]), rssBytes: 5e8, cacheBytes: 1e8 }));
    expect(growthPlot(points, 3e8).match(/<circle/g)).toHaveLength(3 * 2 + 3);
  });
});

describe('hard tokens', () => {
  it('are as many as their share, evenly spread', () => {
    const isHard = everyNth(0.07);
    const hard = Array.from({ length: 1000 }, (_, i) => i).filter(isHard);
    expect(hard).toHaveLength(70);
    expect(Math.max(...hard.map((at, i) => at - (hard[i - 1] ?? -1)))).toBeLessThanOrEqual(15);
    expect([0, 1, 2].filter(everyNth(0))).toEqual([]);
    expect([0, 1, 2].filter(everyNth(1))).toEqual([0, 1, 2]);
  });
});

describe('with models', () => {
  const models: TinyModel[] = [];
  beforeAll(async () => { models.push(await importTinyModel('fp32', checkpoint), await importTinyModel('int4', checkpoint)); });
  afterAll(() => { for (const model of models) model.remove(); });

  it('agreement is full with itself, and less with 4 bits', async () => {
    const [exact, rough] = models.map(({ dir }) => dir);
    const texts = [Array.from({ length: 60 }, (_, i) => 5 + ((i * 31) % 480))];
    expect(await agreement(exact ?? '', exact ?? '', texts)).toEqual({ rows: 60, top1: 1, decisions: 1, kl: 0 });
    const found = await agreement(exact ?? '', rough ?? '', texts);
    expect(found.kl).toBeGreaterThan(0);
    expect(found.top1).toBeLessThanOrEqual(1);
    expect(divergence(Float32Array.of(0, 0), Float32Array.of(0, Math.log(3)))).toBeCloseTo(0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75), 6);
  });

  it('answers the questions of a round, and leaves a cache as it was', async () => {
    const answer = await ourAnswers(models[0]?.dir ?? '');
    await answer({ op: 'fill', context: 200 });
    const held = (await answer({ op: 'memory' })).cacheBytes;
    for (const hard of [0, 0.5]) expect((await answer({ op: 'decode', context: 200, tokens: 8, hard, guessed: 0.5 })).ms).toBeGreaterThan(0);
    expect((await answer({ op: 'prefill', tokens: 40, decides: true, hard: 0.1 })).ms).toBeGreaterThan(0);
    expect((await answer({ op: 'memory' })).cacheBytes).toBe(held);
    await expect(answer({ op: 'decode', context: 7, tokens: 1 })).rejects.toThrow('no cache of 7 rows');
  });
});
