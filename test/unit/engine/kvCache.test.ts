import { describe, expect, it } from 'vitest';
import { KvCache, type SlotKey } from '../../../src/engine/kvCache.ts';
import { MASKED } from '../../../src/protocol/graph.ts';
import type { ModelManifest } from '../../../src/protocol/manifest.ts';

const ARCHITECTURE: ModelManifest['architecture'] = {
  kind: 'qwen3', vocabSize: 8, hiddenSize: 8, layers: 2, heads: 4, kvHeads: 2, headDim: 2, contextLength: 1000,
  ropeInverseFrequencies: [1], ropeAttentionFactor: 1, parameters: 1,
};

/** Rows whose key is recognisable: layer · 1000 + head · 100 + position + depth / 10. */
function append(cache: KvCache, rows: readonly SlotKey[]): void {
  cache.append(rows, (layer, part) =>
    Float32Array.from({ length: 2 * rows.length * 2 }, (_, i) => {
      const head = Math.floor(i / (rows.length * 2));
      const row = rows[Math.floor((i % (rows.length * 2)) / 2)];
      return (layer * 1000 + head * 100 + (row?.position ?? 0) + (row?.depth ?? 0) / 10) * (part === 'key' ? 1 : -1);
    }),
  );
}

function keys(cache: KvCache, layer: number, head: number, count: number): number[] {
  const { data, dims } = cache.past(layer, 'key');
  const capacity = dims[1] ?? 0;
  return Array.from({ length: count }, (_, slot) => Math.round(Number(data[(head * capacity + slot) * 2]) * 10) / 10);
}

describe('KV cache', () => {
  it('keeps every slot of every head when it grows past its block', () => {
    const cache = new KvCache(ARCHITECTURE);
    const first = cache.past(0, 'key');
    for (let p = 0; p < 300; p++) append(cache, [{ position: p, depth: 0 }]);
    expect(cache.past(0, 'key')).not.toBe(first);
    expect(cache.past(0, 'key').dims).toEqual([2, 384, 2]);
    expect(keys(cache, 1, 1, 300)).toEqual(Array.from({ length: 300 }, (_, p) => 1100 + p));
  });

  it('gives the same array until it grows, so that feeds are bound once', () => {
    const cache = new KvCache(ARCHITECTURE);
    const first = cache.past(0, 'value');
    append(cache, [{ position: 0, depth: 0 }]);
    expect(cache.past(0, 'value')).toBe(first);
  });

  it('truncates by position where deeper slots lie between, and keeps the order of the rest', () => {
    const cache = new KvCache(ARCHITECTURE);
    append(cache, [{ position: 0, depth: 0 }, { position: 1, depth: 0 }, { position: 2, depth: 0 }]);
    append(cache, [{ position: 0, depth: 1 }, { position: 2, depth: 1 }]);
    append(cache, [{ position: 3, depth: 0 }]);
    cache.truncate(2);
    expect(cache.length).toBe(3);
    expect(cache.positionsAt(0)).toEqual([0, 1]);
    expect(cache.positionsAt(1)).toEqual([0]);
    expect(keys(cache, 0, 1, 3)).toEqual([100, 101, 100.1]);
  });

  it('lets a row see earlier positions at its own depth or less, itself included, and nothing else', () => {
    const cache = new KvCache(ARCHITECTURE);
    append(cache, [{ position: 0, depth: 0 }, { position: 1, depth: 0 }, { position: 0, depth: 1 }]);
    cache.reserve(2);
    const { data, dims } = cache.attentionBias([{ position: 2, depth: 0 }, { position: 1, depth: 1 }]);
    expect(dims).toEqual([2, 130]);
    const row = (r: number): (number | undefined)[] => [...[0, 1, 2, 3, 128, 129].map((column) => data[r * 130 + column])].map((value) => (value === MASKED ? -1 : value)) as number[];
    // slots: (0,0) (1,0) (0,1) unused | the rows themselves: (2,0) (1,1)
    expect(row(0)).toEqual([0, 0, -1, -1, 0, -1]);
    expect(row(1)).toEqual([0, 0, 0, -1, -1, 0]);
  });
});
