import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../../../src/engine/text/tokenizer.ts';
import { ERROR_CODES, TahError, type ErrorCode } from '../../../../src/protocol/errors.ts';

type Json = Record<string, unknown>;

const tiny = fileURLToPath(new URL('../../../golden/vectors/tiny-tied/ckpt', import.meta.url));
const tokenizerJson = JSON.parse(readFileSync(join(tiny, 'tokenizer.json'), 'utf8')) as Json;
const configJson = JSON.parse(readFileSync(join(tiny, 'tokenizer_config.json'), 'utf8')) as Json;
const tokenizer = loadTokenizer(tiny);

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tah-tokenizer-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A folder with the given files; an object is written as JSON. */
function folder(files: Readonly<Record<string, string | Uint8Array | Json>>): string {
  const dir = mkdtempSync(join(root, 'm-'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, name), typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return dir;
}

function load(change: Json, config: Json = configJson): Tokenizer {
  return loadTokenizer(folder({ 'tokenizer.json': { ...tokenizerJson, ...change }, 'tokenizer_config.json': config }));
}

function failure(attempt: () => unknown): TahError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof TahError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function expectFailure(attempt: () => unknown, code: ErrorCode, words: RegExp): void {
  const error = failure(attempt);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
  expect(error.hint).toBeTruthy();
}

describe('decoding', () => {
  it('gives the same text from a stream and from a list, for any ids (also outside the vocabulary)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 60 }), (ids) => {
        const stream = tokenizer.stream();
        const streamed = ids.map((id) => stream.push(id)).join('') + stream.end();
        expect(streamed).toBe(tokenizer.decode(ids, { skipSpecial: true }));
      }),
      { numRuns: 2000 },
    );
  });

  it('brings any text back, in whole code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        // The tokenizer normalizes to NFC; text that looks like an added token is another test's matter.
        const stream = tokenizer.stream();
        const pieces = tokenizer.encode(text).map((id) => stream.push(id));
        expect(pieces.join('') + stream.end()).toBe(text.normalize('NFC'));
        for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 2000 },
    );
  });

  it('holds a split character back until its last byte', () => {
    const ids = tokenizer.encode('👩');
    expect(ids.length).toBe(4);
    const stream = tokenizer.stream();
    expect(ids.map((id) => stream.push(id))).toEqual(['', '', '', '👩']);
    expect(stream.end()).toBe('');
  });

  it('shows the rest of a broken character at the end, and the stream can go on', () => {
    const [first = 0] = tokenizer.encode('👩');
    const stream = tokenizer.stream();
    expect(stream.push(first)).toBe('');
    expect(stream.end()).toBe('\uFFFD');
    expect(stream.push(tokenizer.encode('a')[0] ?? 0)).toBe('a');
  });

  it('joins a character across a special token, as decoding without special tokens does', () => {
    const [a = 0, b = 0, c = 0] = tokenizer.encode('求');
    const stream = tokenizer.stream();
    expect([a, b, 510, c].map((id) => stream.push(id))).toEqual(['', '', '', '求']);
  });

  it('keeps a byte-order mark: it is a character of the text', () => {
    const ids = tokenizer.encode('\uFEFFa');
    expect(tokenizer.decode(ids)).toBe('\uFEFFa');
  });

  it('keeps blanks before punctuation even where the configuration asks for clean-up', () => {
    const cleaning = load({}, { ...configJson, clean_up_tokenization_spaces: true });
    expect(cleaning.decode(cleaning.encode("a . b , it 's"))).toBe("a . b , it 's");
  });
});

describe('display and special tokens', () => {
  it('shows text, bytes that are no character, and special tokens', () => {
    expect(tokenizer.encode(' two').map((id) => tokenizer.display(id)).join('')).toBe(' two');
    expect(tokenizer.encode('é').map((id) => tokenizer.display(id))).toEqual(['<0xC3>', '<0xA9>']);
    expect(tokenizer.display(510)).toBe('<|im_end|>');
    expect(tokenizer.display(100_000)).toBe('<no token 100000>');
  });

  it('knows special from merely added tokens', () => {
    expect([507, 509, 510, 511, 3].map((id) => tokenizer.isSpecial(id))).toEqual([false, true, true, true, false]);
    expect(tokenizer.vocabSize).toBe(512);
  });

  it('takes as special what only the configuration names', () => {
    const named = load({}, { ...configJson, eos_token: { content: '</think>' } });
    expect(named.isSpecial(508)).toBe(true);
  });

  it('adds tokens that only the configuration has', () => {
    const more = { ...(configJson['added_tokens_decoder'] as Json), '512': { content: '<|extra|>', special: true } };
    const extended = load({}, { ...configJson, added_tokens_decoder: more });
    expect(extended.encode('a<|extra|>').at(-1)).toBe(512);
    expect(extended.isSpecial(512)).toBe(true);
    expect(extended.vocabSize).toBe(513);
  });
});

describe('sentencepiece with byte fallback', () => {
  const pieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', '▁a', '▁ab', ...['E6', 'B1', '82', '0A'].map((hex) => `<0x${hex}>`)];
  const llama2: Json = {
    added_tokens: [0, 1, 2].map((id) => ({ id, content: pieces[id], special: true, normalized: false })),
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges: ['▁ a', '▁a b'],
    },
  };

  it('encodes with bytes, and decodes and streams without the first blank', () => {
    const sentencepiece = load(llama2, {});
    const ids = sentencepiece.encode('ab a求\n');
    expect(ids.map((id) => pieces[id])).toEqual(['▁ab', '▁a', '<0xE6>', '<0xB1>', '<0x82>', '<0x0A>']);
    expect(sentencepiece.decode(ids)).toBe('ab a求\n');
    const stream = sentencepiece.stream();
    expect(ids.map((id) => stream.push(id))).toEqual(['ab', ' a', '', '', '求', '\n']);
    expect(sentencepiece.display(6)).toBe(' a');
    expect(sentencepiece.display(8)).toBe('<0xE6>');
  });
});

describe('files that cannot be used', () => {
  it('says that there is no tokenizer', () => {
    expectFailure(() => loadTokenizer(folder({})), 'model.no-tokenizer', /tokenizer\.json/);
    expectFailure(() => loadTokenizer(join(root, 'nowhere')), 'model.no-tokenizer', /nowhere/);
  });

  it('loads without tokenizer_config.json', () => {
    const dir = folder({ 'tokenizer.json': tokenizerJson });
    expect(loadTokenizer(dir).encode('Hello')).toEqual(tokenizer.encode('Hello'));
  });

  it('refuses what is no JSON, cut off, or no UTF-8', () => {
    expectFailure(() => loadTokenizer(folder({ 'tokenizer.json': '{"model": ' })), 'checkpoint.bad-json', /tokenizer\.json/);
    const config = { 'tokenizer.json': tokenizerJson, 'tokenizer_config.json': '[' };
    expectFailure(() => loadTokenizer(folder(config)), 'checkpoint.bad-json', /tokenizer_config\.json/);
    expectFailure(() => loadTokenizer(folder({ 'tokenizer.json': Uint8Array.of(0x7b, 0xff) })), 'checkpoint.unreadable', /UTF-8/);
  });

  const model = tokenizerJson['model'] as Json;
  const vocab = model['vocab'] as Json;
  const split = { type: 'Split', pattern: { Regex: '\\d' }, behavior: 'MergedWithNext', invert: false };
  it.each<[string, Json, RegExp]>([
    ['no model', { model: null }, /model/],
    ['an id that is no number', { model: { ...model, vocab: { ...vocab, a: 'x' } } }, /"a"/],
    ['an id that would fill the memory', { model: { ...model, vocab: { ...vocab, zz: 1e15 } } }, /"zz"/],
    ['two tokens with one id', { model: { ...model, vocab: { ...vocab, zz: 3 } } }, /same id 3/],
    ['an added token over another', { added_tokens: [{ id: 3, content: '<x>' }] }, /token 3/],
    ['an added token without content', { added_tokens: [{ id: 3 }] }, /content/],
    ['whole-word tokens', { added_tokens: [{ id: 600, content: '<x>', single_word: true }] }, /whole words/],
    ['merges that are no list', { model: { ...model, merges: 7 } }, /cannot be used/],
    ['an unknown decoder', { decoder: { type: 'WordPiece' } }, /WordPiece/],
    ['no decoder', { decoder: null }, /decoder/],
    ['an unknown normalizer', { normalizer: { type: 'Rot13' } }, /Rot13/],
    ['a split that the library does not know', { pre_tokenizer: split }, /MergedWithNext/],
    ['a broken regular expression', { pre_tokenizer: { ...split, behavior: 'Isolated', pattern: { Regex: '(' } } }, /cannot be used/],
  ])('refuses %s', (_, change, words) => {
    expectFailure(() => load(change), 'checkpoint.bad-tokenizer', words);
  });

  it('refuses a configuration that contradicts tokenizer.json', () => {
    const config = { ...configJson, added_tokens_decoder: { '509': { content: '<|other|>' } } };
    expectFailure(() => load({}, config), 'checkpoint.bad-tokenizer', /<\|other\|>.*<\|im_start\|>/);
  });

  it('is stopped where a hostile pattern backtracks for ever', () => {
    const pattern = { type: 'Split', pattern: { Regex: '(?:a|a|a)+$' }, behavior: 'Isolated', invert: false };
    const hostile = load({ pre_tokenizer: pattern });
    expectFailure(() => hostile.encode(`${'a'.repeat(60)}b`), 'checkpoint.bad-tokenizer', /longer than 3 seconds/);
  });

  it('answers mutated files with a TahError or a tokenizer, never with anything else', { timeout: 120_000 }, () => {
    const source = JSON.stringify({ ...tokenizerJson, model: { ...model, merges: (model['merges'] as unknown[]).slice(0, 20) } });
    const cut = fc.record({ at: fc.nat(source.length - 1), drop: fc.integer({ min: 0, max: 40 }), insert: fc.constantFrom('', '0', '"', 'null', '{}', '[', '-1', '\\ud800') });
    fc.assert(
      fc.property(cut, ({ at, drop, insert }) => {
        const dir = folder({ 'tokenizer.json': source.slice(0, at) + insert + source.slice(at + drop) });
        try {
          loadTokenizer(dir).encode('Hello 求');
        } catch (error) {
          if (!(error instanceof TahError)) throw error;
          expect(ERROR_CODES[error.code]).toBe('user');
        }
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 1500 },
    );
  });
});

describe('chat template of a folder', () => {
  const hi = [{ role: 'user', content: 'hi' }] as const;
  const withTemplate = (chatTemplate: unknown): Tokenizer => load({}, { ...configJson, chat_template: chatTemplate });

  it('comes from chat_template.jinja before tokenizer_config.json', () => {
    const dir = folder({ 'tokenizer.json': tokenizerJson, 'tokenizer_config.json': { ...configJson, chat_template: 'config' } });
    expect(loadTokenizer(dir).renderChat(hi)).toBe('config');
    copyFileSync(join(tiny, 'chat_template.jinja'), join(dir, 'chat_template.jinja'));
    expect(loadTokenizer(dir).renderChat(hi)).toContain('<|im_start|>user\nhi');
  });

  it('is the one named default of a list, or the only one', () => {
    const tools = { name: 'tool_use', template: 'T' };
    expect(withTemplate([tools, { name: 'default', template: 'D' }]).renderChat(hi)).toBe('D');
    expect(withTemplate([tools]).renderChat(hi)).toBe('T');
    expectFailure(() => withTemplate([tools, { name: 'rag', template: 'R' }]).renderChat(hi), 'model.no-tokenizer', /tool_use, rag/);
  });

  it('is asked for only when needed', () => {
    const bare = load({});
    expect(bare.encode('Hello').length).toBeGreaterThan(0);
    expectFailure(() => bare.renderChat(hi), 'model.no-tokenizer', /no chat template/);
  });

  it('sees the special tokens, as strings, and opens the turn only when asked', () => {
    const special = load({}, { ...configJson, bos_token: { content: '<s>' }, chat_template: '{{ bos_token }}|{{ eos_token }}|{{ add_generation_prompt }}|{{ enable_thinking is defined }}' });
    expect(special.renderChat(hi, { addGenerationPrompt: false, enableThinking: false })).toBe('<s>|<|im_end|>|false|true');
    expect(special.renderChat(hi)).toBe('<s>|<|im_end|>|true|false');
  });
});
