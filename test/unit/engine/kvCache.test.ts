import { describe, expect, it } from 'vitest';
import { FloatRows, Int8Rows } from '../../../src/engine/keptRows.ts';
import { KvCache, type SlotKey } from '../../../src/engine/kvCache.ts';
import type { HostFeed, Outputs } from '../../../src/engine/session.ts';
import { MASKED, newName, pastName, pastScaleName } from '../../../src/protocol/graph.ts';
import type { ModelManifest } from '../../../src/protocol/manifest.ts';
import { Random } from '../../fuzz/random.ts';

const ARCHITECTURE: ModelManifest['architecture'] = {
  kind: 'qwen3', vocabSize: 8, hiddenSize: 8, layers: 2, heads: 4, kvHeads: 2, headDim: 2, contextLength: 1000,
  ropeInverseFrequencies: [1], ropeAttentionFactor: 1, parameters: 1,
};

const { layers: LAYERS, kvHeads: HEADS, headDim: DIM } = ARCHITECTURE;

/** What a run of these rows returns: numbers that tell layer, head, position and depth, and are codes times a scale. */
function outputsOf(rows: readonly SlotKey[]): Outputs {
  const scaleOf = (row: SlotKey): number => 2 ** ((row.position % 5) - 2);
  const codeOf = (layer: number, head: number, row: SlotKey, d: number): number => ((layer * 31 + head * 17 + row.position * 5 + row.depth * 3 + d * 7) % 255) - 127;
  const all = <T>(heads: number, width: number, of: (head: number, row: SlotKey, d: number) => T): T[] =>
    Array.from({ length: heads * rows.length * width }, (_, i) => {
      const row = rows[Math.floor(i / width) % rows.length];
      if (row === undefined) throw new Error('no rows');
      return of(Math.floor(i / width / rows.length), row, i % width);
    });
  const layerOf = (name: string): number => Number(name.split('.')[1]);
  return {
    floats: (name) => {
      const layer = layerOf(name);
      if (name.endsWith('.scale')) return Float32Array.from(all(2 * HEADS, 1, (_, row) => scaleOf(row)));
      return Float32Array.from(all(HEADS, DIM, (head, row, d) => codeOf(layer, head + (name.endsWith('.value') ? HEADS : 0), row, d) * scaleOf(row)));
    },
    codes: (name) => Int8Array.from(all(2 * HEADS, DIM, (head, row, d) => codeOf(layerOf(name), head, row, d))),
    integers: () => new BigInt64Array(0),
    has: () => true,
    device: () => {
      throw new Error('nothing is on a device');
    },
  };
}

function append(cache: KvCache, rows: readonly SlotKey[]): void {
  cache.take(rows, outputsOf(rows));
}

function hostFeed(cache: KvCache, name: string): HostFeed {
  const feed = cache.feeds()[name];
  if (feed === undefined || feed.dtype === 'device') throw new Error(`no array ${name}`);
  return feed;
}

/** Every number of the first slots, as a graph would read them: [layer][part][head][slot][d]. */
function numbers(cache: KvCache, kind: 'float32' | 'int8'): number[] {
  const found: number[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    for (const part of ['key', 'value'] as const) {
      const { data, dims } = hostFeed(cache, pastName(layer, part));
      const inColumns = kind === 'int8' && part === 'key';
      const capacity = dims[inColumns ? 2 : 1] ?? 0;
      const scales = kind === 'int8' ? hostFeed(cache, pastScaleName(layer)).data : null;
      for (let head = 0; head < HEADS; head++) {
        for (let slot = 0; slot < cache.length; slot++) {
          const scale = scales === null ? 1 : Number(scales[(head + (part === 'value' ? HEADS : 0)) * capacity + slot]);
          for (let d = 0; d < DIM; d++) found.push(Number(data[inColumns ? (head * DIM + d) * capacity + slot : (head * capacity + slot) * DIM + d]) * scale);
        }
      }
    }
  }
  return found;
}

/** The same numbers from what the runs returned. */
function expected(slots: readonly SlotKey[]): number[] {
  const outputs = outputsOf(slots);
  return Array.from({ length: LAYERS }, (_, layer) => (['key', 'value'] as const).flatMap((part) => [...outputs.floats(newName(layer, part))])).flat();
}

const STORES = [
  ['float32', () => new KvCache(new FloatRows(ARCHITECTURE))],
  ['int8', () => new KvCache(new Int8Rows(ARCHITECTURE))],
] as const;

describe.each(STORES)('KV cache in %s', (kind, create) => {
  it('keeps every number of every slot when it grows past its block', () => {
    const cache = create();
    const name = pastName(0, 'value');
    const first = hostFeed(cache, name);
    const slots = Array.from({ length: 300 }, (_, position) => ({ position, depth: 0 }));
    for (const slot of slots) append(cache, [slot]);
    expect(hostFeed(cache, name)).not.toBe(first);
    expect(hostFeed(cache, name).dims).toEqual([HEADS, 384, DIM]);
    expect(numbers(cache, kind)).toEqual(expected(slots));
  });

  it('gives the same arrays until it grows, so that feeds are bound once', () => {
    const cache = create();
    const before = cache.feeds();
    append(cache, [{ position: 0, depth: 0 }]);
    const after = cache.feeds();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [name, feed] of Object.entries(before)) expect(after[name]).toBe(feed);
  });

  it('truncates by position where deeper slots lie between, and keeps the order of the rest', () => {
    const cache = create();
    append(cache, [{ position: 0, depth: 0 }, { position: 1, depth: 0 }, { position: 2, depth: 0 }]);
    append(cache, [{ position: 0, depth: 1 }, { position: 2, depth: 1 }]);
    append(cache, [{ position: 3, depth: 0 }]);
    cache.truncate(2);
    expect(cache.length).toBe(3);
    expect(cache.positionsAt(0)).toEqual([0, 1]);
    expect(cache.positionsAt(1)).toEqual([0]);
    expect(numbers(cache, kind)).toEqual(expected([{ position: 0, depth: 0 }, { position: 1, depth: 0 }, { position: 0, depth: 1 }]));
  });

  it('keeps what it has in any order of growing, forgetting, shrinking and being emptied', () => {
    const cache = create();
    let slots: SlotKey[] = [];
    let position = 0;
    const random = new Random(7);
    for (let step = 0; step < 60; step++) {
      const what = random.next();
      if (what < 0.7) {
        const rows = Array.from({ length: 1 + Math.floor(random.next() * 90) }, () => ({ position: position++, depth: 0 }));
        if (random.next() < 0.5) rows.push({ position: position - 1, depth: 1 });
        append(cache, rows);
        slots.push(...rows);
      } else if (what < 0.9) {
        position = Math.floor(position * random.next());
        cache.truncate(position);
        slots = slots.filter((slot) => slot.position < position);
      } else if (what < 0.97) {
        cache.fit();
      } else {
        cache.release();
        expect(cache.bytes).toBe(0);
        [slots, position] = [[], 0];
      }
      expect(numbers(cache, kind)).toEqual(expected(slots));
    }
  });

  it('counts its bytes as its arrays have them', () => {
    const cache = create();
    append(cache, Array.from({ length: 200 }, (_, p) => ({ position: p, depth: 0 })));
    const arrays = Object.keys(cache.feeds()).map((name) => hostFeed(cache, name).data.byteLength);
    expect(cache.bytes).toBe(arrays.reduce((sum, bytes) => sum + bytes, 0));
  });
});

describe('attention bias', () => {
  it('lets a row see earlier positions at its own depth or less, itself included, and nothing else', () => {
    const cache = new KvCache(new FloatRows(ARCHITECTURE));
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
