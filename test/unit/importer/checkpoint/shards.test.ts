// The shard index may name only files of the folder, and index and shards must agree.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectRefusal, GoodCopy, readAll, safetensors, takeApart, VECTORS, type Json } from './goodCopy.ts';

const INDEX = 'model.safetensors.index.json';
const SHARDED = path.join(VECTORS, 'tiny-untied', 'ckpt');
const LAST = 'model-00008-of-00008.safetensors';

function editMap(change: (map: Record<string, unknown>) => void): GoodCopy {
  return new GoodCopy(SHARDED).edit(INDEX, (index) => {
    change(index['weight_map'] as Json);
  });
}

/** The tensors of the last shard all said to be in `shard`. */
function lastIn(shard: unknown): GoodCopy {
  return editMap((map) => {
    for (const [name, value] of Object.entries(map)) if (value === LAST) map[name] = shard;
  });
}

describe('a shard index is refused', () => {
  it.each([
    ['leads up', '../model.safetensors'],
    ['is absolute', '/etc/passwd'],
    ['is absolute and looks like a shard', '/srv/x.safetensors'],
    ['leads into a folder', 'lora/adapter_model.safetensors'],
    ['has backslashes', '..\\model.safetensors'],
    ['names a drive', 'C:model.safetensors'],
    ['is hidden', '.safetensors'],
    ['is empty', ''],
    ['holds a NUL', 'a\u0000.safetensors'],
    ['is another kind of file', 'config.json'],
  ])('whose shard %s', (_name, shard) => {
    expectRefusal(lastIn(shard), 'checkpoint.bad-path', [INDEX]);
  });

  it('whose shard is a number', () => {
    expectRefusal(lastIn(7), 'checkpoint.bad-json', [INDEX, 'weight_map', '7']);
  });

  it('without weight_map', () => {
    expectRefusal(new GoodCopy(SHARDED).write(INDEX, '{}'), 'checkpoint.bad-json', [INDEX, 'weight_map', 'missing']);
  });

  it('that does not list a tensor of a shard', () => {
    const copy = editMap((map) => {
      Reflect.deleteProperty(map, 'model.norm.weight');
    });
    expectRefusal(copy, 'checkpoint.bad-safetensors', ['model.norm.weight', 'does not list it']);
  });

  it('that lists a tensor that its shard lacks', () => {
    const copy = editMap((map) => (map['model.extra.weight'] = LAST));
    expectRefusal(copy, 'checkpoint.missing-tensor', [LAST, 'model.extra.weight']);
  });

  it('that has a tensor in another shard', () => {
    const copy = editMap((map) => (map['model.norm.weight'] = 'model-00001-of-00008.safetensors'));
    expectRefusal(copy, 'checkpoint.bad-safetensors', ['model.norm.weight', 'model-00001-of-00008.safetensors']);
  });

  it('with a tensor in two shards', () => {
    const copy = new GoodCopy(SHARDED);
    const { header, data } = takeApart(copy.bytes(LAST));
    header['model.embed_tokens.weight'] = { dtype: 'BF16', shape: [0], data_offsets: [data.length, data.length] };
    expectRefusal(copy.write(LAST, safetensors(JSON.stringify(header), data)), 'checkpoint.bad-safetensors', ['model.embed_tokens.weight', 'one shard']);
  });
});

describe.skipIf(process.platform === 'win32')('links', () => {
  it('to a file outside the folder are refused', () => {
    const copy = new GoodCopy().remove('model.safetensors');
    fs.symlinkSync(path.join(VECTORS, 'broken', '_good', 'model.safetensors'), copy.path('model.safetensors'));
    expectRefusal(copy, 'checkpoint.bad-path', ['model.safetensors', 'outside']);
  });

  it('of a folder (lora/) that leads outside are refused', () => {
    const copy = new GoodCopy().remove('lora');
    fs.symlinkSync(path.join(VECTORS, 'broken', '_good', 'lora'), copy.path('lora'));
    expectRefusal(copy, 'checkpoint.bad-path', ['lora/adapter_config.json', 'outside']);
  });

  it('that lead nowhere are a missing file', () => {
    const copy = new GoodCopy().remove('model.safetensors');
    fs.symlinkSync('nowhere', copy.path('model.safetensors'));
    expectRefusal(copy, 'checkpoint.missing-file', ['model.safetensors']);
  });

  it('from a hub cache’s snapshot to its blobs are followed', () => {
    const cache = new GoodCopy();
    const snapshot = path.join(cache.dir, 'snapshots', 'abc');
    fs.mkdirSync(snapshot, { recursive: true });
    fs.mkdirSync(path.join(cache.dir, 'blobs'));
    for (const name of ['config.json', 'model.safetensors']) {
      fs.renameSync(cache.path(name), path.join(cache.dir, 'blobs', name));
      fs.symlinkSync(path.join('..', '..', 'blobs', name), path.join(snapshot, name));
    }
    expect(() => {
      readAll(snapshot);
    }).not.toThrow();
    cache.discard();
  });
});
