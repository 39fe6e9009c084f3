// The recorded results of the Rust tokenizers and transformers on tiny-tied, all of them, and the stream against them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/engine/text/tokenizer.ts';
import type { ChatMessage } from '../../src/protocol/engine.ts';

interface Golden {
  readonly encodings: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly decoded: string;
    readonly decoded_skip_special: string;
    readonly prefix_decodes: readonly string[] | null;
  }[];
  readonly chats: readonly {
    readonly messages: readonly ChatMessage[];
    readonly add_generation_prompt: boolean;
    readonly enable_thinking?: boolean;
    readonly text: string;
    readonly ids: readonly number[];
  }[];
}

const folder = new URL('vectors/tiny-tied/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('tokenizer_golden.json', folder), 'utf8')) as Golden;
const tokenizer = loadTokenizer(fileURLToPath(new URL('ckpt', folder)));

describe('tokenizer of tiny-tied', () => {
  it('has all recorded cases', () => {
    expect(golden.encodings.length).toBe(20);
    expect(golden.chats.length).toBe(6);
  });

  it.each(golden.encodings.map((c) => ({ ...c, title: JSON.stringify(c.text) })))('encodes and decodes $title', (c) => {
    expect(tokenizer.encode(c.text)).toEqual(c.ids);
    expect(tokenizer.decode(c.ids)).toBe(c.decoded);
    expect(tokenizer.decode(c.ids, { skipSpecial: true })).toBe(c.decoded_skip_special);
    c.prefix_decodes?.forEach((prefix, i) => {
      expect(tokenizer.decode(c.ids.slice(0, i + 1))).toBe(prefix);
    });
  });

  it.each(golden.encodings.map((c) => ({ ...c, title: JSON.stringify(c.text) })))('streams $title in whole characters', (c) => {
    const stream = tokenizer.stream();
    const pieces = c.ids.map((id) => stream.push(id));
    for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
    expect(pieces.join('') + stream.end()).toBe(c.decoded_skip_special);
  });

  it.each(golden.chats.map((c) => ({ ...c, title: JSON.stringify(c.text) })))('renders the chat $title', (c) => {
    const text = tokenizer.renderChat(c.messages, {
      addGenerationPrompt: c.add_generation_prompt,
      ...(c.enable_thinking === undefined ? {} : { enableThinking: c.enable_thinking }),
    });
    expect(text).toBe(c.text);
    expect(tokenizer.encode(text)).toEqual(c.ids);
  });
});
