/** Guards against a table that calls a missed token sent, a level that hides a hard token, and a hover that a token's text can break. */
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { hardest, levelOf, oracleTable } from '../../../../src/features/difficulty/measuredToken.ts';
import { codeSpan, hoverMarkdown } from '../../../../src/features/difficulty/tokenHover.ts';
import type { TokenEvent } from '../../../../src/protocol/engine.ts';

const l10n = { t: (message: string, ...values: (string | number)[]): string => message.replace(/\{(\d)\}/g, (_hole, i: string) => String(values[Number(i)])) };

function token(more: Partial<TokenEvent> = {}): TokenEvent {
  const before = [{ id: 1, text: 'a', logprob: Math.log(0.6) }, { id: 2, text: 'b', logprob: Math.log(0.3) }];
  return { index: 0, position: 1, id: 1, text: 'a', iterCount: 1, continueProbability: [0.1], before, after: before, logprob: -0.5, entropyBefore: 0.9, entropyAfter: 0.9, elapsedMs: null, special: false, ...more };
}

describe('difficulty', () => {
  it('is the score in fifths, and the entropy where there is no decider', () => {
    expect([0, 0.19, 0.2, 0.5, 0.79, 0.8, 1].map((score) => levelOf(token({ continueProbability: [score] })))).toEqual([0, 0, 1, 2, 3, 4, 4]);
    expect([0, 0.7, 1.4, 2.1, 9].map((entropyBefore) => levelOf(token({ continueProbability: [], entropyBefore })))).toEqual([0, 1, 2, 3, 4]);
  });

  it('of a split character is that of its hardest token; a second pass is never hidden by a higher score', () => {
    const sent = token({ iterCount: 2, continueProbability: [0.6] });
    expect(hardest([token({ continueProbability: [0.7] }), sent, token()])).toBe(sent);
    expect(hardest<TokenEvent>([])).toBeUndefined();
  });

  it('is counted against the self-oracle, special tokens left out', () => {
    const tokens = [token(), token({ iterCount: 2 }), token({ id: 2 }), token({ id: 2, iterCount: 2 }), token({ id: 2, iterCount: 2 }), token({ special: true })];
    expect(oracleTable(tokens)).toEqual({ 'easy-skipped': 1, 'easy-sent': 1, 'hard-missed': 1, 'hard-sent': 2, tokens: 5, effects: { corrected: 0, unrepaired: 2, overthought: 0, needless: 1 } });
  });
});

describe('the hover of a token', () => {
  it('has score, threshold and both lists', () => {
    const after = [{ id: 2, text: 'b', logprob: Math.log(0.7) }, { id: 1, text: 'a', logprob: Math.log(0.2) }];
    const text = hoverMarkdown(l10n, { tokens: [token({ id: 2, text: 'b', iterCount: 2, continueProbability: [0.83], after })], threshold: 0.5, outdated: false });
    expect(text).toContain('**`b`** · 2 passes · score 0.830, threshold 0.500 · changed the pick');
    expect(text).toContain('Hard and sent');
    expect(text).toContain('| 1 | `a` | 60 % | **`b`** | 70 % |');
    expect(text).not.toContain('edited');
  });

  it('says that a plain model has no decider, and when the text before was edited', () => {
    const text = hoverMarkdown(l10n, { tokens: [token({ continueProbability: [] })], threshold: null, outdated: true });
    expect(text).toContain('entropy 0.90 nats · no decider in this model');
    expect(text).toContain('edited');
  });

  it.each(['`](command:evil) ', '<img src=x onerror=alert(1)>', '[a](https://b)', '``|`', '\n# x', '|a|b|', '\u202eabc', '![x](y)', '\\', '``````', ' '])('stays text whatever a token is: %j', (hostile) => {
    const candidates = [{ id: 1, text: hostile, logprob: -1 }];
    const text = hoverMarkdown(l10n, { tokens: [token({ text: hostile, before: candidates, after: candidates })], threshold: 0.5, outdated: false });
    const html = new MarkdownIt({ html: true }).render(text);
    expect(html).not.toMatch(/<(a|img|h1|script)\b/);
    // The table keeps its columns: no token can add one.
    expect(html.match(/<td/g)).toHaveLength(3);
    expect(html).not.toMatch(/[\u202a-\u202e]/);
    expect(codeSpan(hostile)).not.toContain('\n');
  });
});
