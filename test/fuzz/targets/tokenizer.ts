/** Tokenizer files in their folder: loaded, and where they are taken, put to work on odd texts and ids. */

import fs from 'node:fs';
import path from 'node:path';
import { loadTokenizer } from '../../../src/engine/text/tokenizer.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { inventJson, mutateJson } from '../mutate/json.ts';
import { bytesOf, Finding, textOf, type Input, type Room, type Subject } from '../target.ts';

const FILES = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'] as const;
const TEXTS = ['', 'Solve x + 1 = 2.', ' \n\t\u00e9\u6c42\ud83d\ude00\ud800\u0000<|im_end|><|endoftext|>', 'a'.repeat(2000), '\u202e ../ {{ x }}'];
const IDS = [0, 1, 5, 511, 512, 637, 640, -1, 2 ** 31, 0.5, NaN];

export function open({ root, folder }: Room): Subject {
  const source = path.join(root, 'test/golden/vectors/tiny-tied/ckpt');
  const sound = new Map(FILES.map((name) => [name as string, smaller(name, fs.readFileSync(path.join(source, name), 'utf8'))]));
  const seeds: readonly Input[] = [...sound].filter(([name]) => name.endsWith('.json')).map(([part, data]) => ({ part, data }));
  for (const [name, text] of sound) fs.writeFileSync(path.join(folder, name), text);
  return {
    seeds,
    mutate: (seed, random) => {
      if (random.chance(0.1)) return { part: seed.part, data: mutateBytes(bytesOf(seed), random) };
      return isJson(textOf(seed)) ? { part: seed.part, data: mutateJson(textOf(seed), random) } : { part: seed.part, data: mutateBytes(bytesOf(seed), random) };
    },
    invent: (random) => ({ part: random.pick(['tokenizer.json', 'tokenizer_config.json']), data: random.chance(0.5) ? inventJson(random) : `{"model":{"type":"BPE","vocab":${inventJson(random)},"merges":[]},"decoder":{"type":"ByteLevel"},"pre_tokenizer":${inventJson(random)}}` }),
    run: ({ part, data }) => {
      fs.writeFileSync(path.join(folder, part), data);
      try {
        use(loadTokenizer(folder));
      } finally {
        fs.writeFileSync(path.join(folder, part), sound.get(part) ?? '');
      }
      return 'accepted';
    },
  };
}

function use(loaded: ReturnType<typeof loadTokenizer>): void {
  for (const text of TEXTS) {
    const ids = loaded.encode(text);
    if (!ids.every((id) => Number.isInteger(id) && id >= 0)) throw new Finding(`encodes ${JSON.stringify(text.slice(0, 40))} as ${ids.slice(0, 5).join()}`);
    if (loaded.decode(ids).length > 100 * text.length + 10_000) throw new Finding('decodes to a text that is far too long');
    loaded.decode(ids, { skipSpecial: true });
  }
  for (const id of IDS) {
    loaded.display(id);
    loaded.token(id);
    loaded.isSpecial(id);
  }
  loaded.decode(IDS);
  loaded.renderChat([{ role: 'user', content: 'hi' }]);
}

/** A vocabulary of bytes and a few merges: a mutation then seldom hits just another word of it. */
function smaller(name: string, text: string): string {
  if (name !== 'tokenizer.json') return text;
  const json = JSON.parse(text) as { model: { vocab: Record<string, number>; merges: unknown[] } };
  const merges = json.model.merges.slice(0, 40);
  const merged = new Set(merges.map((merge) => (Array.isArray(merge) ? merge.join('') : String(merge).replace(' ', ''))));
  const vocab = Object.fromEntries(Object.entries(json.model.vocab).filter(([token]) => Array.from(token).length === 1 || merged.has(token)));
  return JSON.stringify({ ...json, model: { ...json.model, vocab, merges } });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
