/** Replays recorded tokenizer results: encoding, decoding, every prefix, the stream, the chat template. */
import { loadTokenizer } from '../../engine/text/tokenizer.ts';
import { readTokenizerGolden } from './goldenFile.ts';
import type { Report } from './report.ts';

/** @param checkpoint folder with the tokenizer's files @returns number of texts and chats @throws TahError input.*, model.no-tokenizer, checkpoint.bad-* */
export function replayTokenizer(file: string, checkpoint: string, report: Report): number {
  const golden = readTokenizerGolden(file);
  const tokenizer = loadTokenizer(checkpoint);
  for (const test of golden.encodings) {
    const where = JSON.stringify(test.text.slice(0, 40));
    report.agree('tokenizer: encode', where, tokenizer.encode(test.text), test.ids);
    if (test.tokens != null) report.agree('tokenizer: tokens', where, test.ids.map((id) => tokenizer.token(id)), test.tokens);
    report.agree('tokenizer: decode', where, tokenizer.decode(test.ids, { skipSpecial: false }), test.decoded);
    report.agree('tokenizer: decode', where, tokenizer.decode(test.ids, { skipSpecial: true }), test.decoded_skip_special);
    if (test.prefix_decodes !== null) report.agree('tokenizer: prefixes', where, test.ids.map((_, i) => tokenizer.decode(test.ids.slice(0, i + 1))), test.prefix_decodes);
    const stream = tokenizer.stream();
    const pieces = test.ids.map((id) => stream.push(id));
    report.agree('tokenizer: streamed', where, pieces.join('') + stream.end(), test.decoded_skip_special);
  }
  for (const [i, chat] of golden.chats.entries()) {
    const options = { addGenerationPrompt: chat.add_generation_prompt, ...(chat.enable_thinking === undefined ? {} : { enableThinking: chat.enable_thinking }) };
    const text = tokenizer.renderChat(chat.messages, options);
    report.agree('chat template', `chat ${i}`, text, chat.text);
    report.agree('chat template', `chat ${i}, ids`, tokenizer.encode(text), chat.ids);
  }
  return golden.encodings.length + golden.chats.length;
}
