import { afterEach, describe, expect, it } from 'vitest';
import type { TokenEvent } from '../../../src/protocol/engine.ts';
import { tokenRow, visibleText } from '../../../src/protocol/tokenRow.ts';
import { lineBreakOf } from '../../../src/webview/tokenBlocks.ts';
import { formatPercent, tokenCell } from '../../../src/webview/tokenCell.ts';
import type { TokenCell } from '../../../src/webview/tokenCell.ts';
import { candidateRows, tokenDetails } from '../../../src/webview/tokenView.ts';
import { addTokens, costText, heatmapSummary, NO_TOKENS, policyText, stateText } from '../../../src/webview/summary.ts';
import { l10n, setTexts } from '../../../src/webview/texts.ts';
import { candidates, run, token } from './exampleRun.ts';

function cellOf(event: TokenEvent): TokenCell {
  return tokenCell(tokenRow(event));
}

afterEach(() => {
  setTexts({});
});

describe('a token of the heatmap', () => {
  it('has a bucket by tenths of its first score, and none without a decider', () => {
    expect([0, 0.04, 0.06, 0.5, 0.949, 0.951, 1].map((score) => cellOf(token('a', { continueProbability: [score] })).bucket)).toEqual([0, 0, 1, 5, 9, 10, 10]);
    expect(cellOf(token('a', { continueProbability: [] })).bucket).toBeNull();
  });

  it('is marked as sent by its passes, not by its score', () => {
    expect(cellOf(token('a', { continueProbability: [0.99] })).sent).toBe(false);
    expect(cellOf(token('a', { iterCount: 2, continueProbability: [0.01] })).sent).toBe(true);
  });

  it('says to a screen reader what colour and underline say', () => {
    const cell = cellOf(token(' five', { iterCount: 2, continueProbability: [0.8], before: candidates('a', 'b'), after: candidates('b', 'a') }));
    expect(cell.label).toBe('five, score 0.800, 2 passes, changed the pick');
    expect(cellOf(token('\n')).label).toBe('new line, score 0.020');
  });

  it('shows new lines, control and bidirectional characters as signs, so that text cannot reorder the page', () => {
    expect(visibleText({ text: 'a\r\n\tb', special: false })).toBe('a⏎⇥b');
    expect(visibleText({ text: '\u202eab\u0007', special: false })).toBe('·ab·');
    expect(visibleText({ text: '', special: false })).toBe('·');
    expect(visibleText({ text: '', special: true })).toBe('◇');
  });

  it('breaks the line on the right side of its own text', () => {
    expect(lineBreakOf(token('.\n'))).toBe('after');
    expect(lineBreakOf(token('\n1'))).toBe('before');
    expect(lineBreakOf(token('a'))).toBe('none');
  });
});

describe('details of a token', () => {
  it('say which candidates the second pass pushed up or down, and which was chosen', () => {
    const rows = candidateRows(candidates('b', 'a', 'z'), candidates('a', 'b', 'c'), 197);
    expect(rows.map((row) => [row.text, row.move, row.chosen])).toEqual([['b', 'up', false], ['a', 'down', true], ['z', 'new', false]]);
    expect(candidateRows(candidates('a'), null, 1)[0]?.move).toBe('none');
  });

  it('give score against threshold with its margin, and no second list for one pass', () => {
    const details = tokenDetails(token('a', { continueProbability: [0.634] }), 0.5);
    expect(details.why.find((fact) => fact.label === 'Threshold')?.value).toBe('0.500 (+0.134)');
    expect(details.after).toBeNull();
    expect(details.thought).toBeNull();
    expect(tokenDetails(token('a', { continueProbability: [] }), null).why.some((fact) => fact.label === 'Score')).toBe(false);
  });

  it('never rounds a small share to nothing', () => {
    expect(formatPercent(0.0004)).toBe('<0.1 %');
    expect(formatPercent(0)).toBe('0.0 %');
  });
});

describe('summaries', () => {
  const { model } = run();
  if (model === null) throw new Error('The example has a model.');

  it('count tokens, passes and changed picks batch by batch as over the whole', () => {
    const all = [token('a'), token('b', { iterCount: 2 }), token('c', { iterCount: 2, before: candidates('a', 'b'), after: candidates('b', 'a') }), token('d')].map(tokenRow);
    const totals = addTokens(addTokens(NO_TOKENS, all.slice(0, 2)), all.slice(2));
    expect(totals).toEqual(addTokens(NO_TOKENS, all));
    expect(heatmapSummary(totals, true)).toBe('4 tokens · 2 sent to a second pass (50 %) · pick changed at 1 · 1.50 passes a token');
    expect(heatmapSummary(NO_TOKENS, true)).toBe('No tokens yet');
  });

  it('say what the run is doing and why it ended', () => {
    expect(stateText(run({ model: null }))).toBe('Loading model…');
    expect(stateText(run())).toBe('Thinking…');
    expect(stateText(run({ state: 'done', endReason: 'max-tokens' }))).toContain('token limit');
    expect(policyText({ policy: { kind: 'decider' }, model: { ...model, threshold: 0.9 } })).toBe('thinks twice where score > 0.9');
    expect(policyText({ policy: { kind: 'decider', threshold: 0.2 }, model: { ...model, threshold: 0.9 } })).toContain('0.2');
  });

  it('say nothing of second passes where there are none or none are told of', () => {
    const policy = { kind: 'decider' } as const;
    const at = (sends: 'tah' | 'logprobs' | 'text'): string => policyText({ policy, model: { ...model, maxIter: sends === 'tah' ? 2 : 1, threshold: null, endpoint: { name: 'server', host: 'h', sends } } });
    expect(at('logprobs')).toBe('thinking policy not known: the server does not tell');
    expect(at('text')).toBe(at('logprobs'));
    expect(at('tah')).toBe('thinks twice where hard');
    expect(policyText({ policy, model: { ...model, maxIter: 1, threshold: null } })).toBe('plain model: one pass a token');
    const totals = addTokens(NO_TOKENS, [token('a'), token('b')].map(tokenRow));
    expect(heatmapSummary(totals, false)).toBe('2 tokens');
    const stats = { promptTokens: 3, tokens: 2, passes: 2, passesPerToken: 1, loadMs: 0, prefillMs: 500, decodeMs: 500, tokensPerSecond: 4 };
    expect(costText(stats, totals, false)).toBe('4.0 tokens/s · 2 tokens in 1.0 s');
    expect(costText(stats, totals, true)).toContain('1.00 passes a token · 0.0 % thought over');
  });

  it('are translated, and stay English where a translation lacks', () => {
    setTexts({ 'Thinking…': 'Denkt …' });
    expect(stateText(run())).toBe('Denkt …');
    expect(l10n.t('{0} tokens', 3)).toBe('3 tokens');
    expect(l10n.t('constructor')).toBe('constructor');
  });
});

describe('numbers that are none', () => {
  it('are shown as a dash or no share, never as an exception or as 100 %', () => {
    const strange = token('a', { continueProbability: [NaN], logprob: -Infinity, entropyBefore: NaN, elapsedMs: Infinity, before: [{ id: 1, text: 'a', logprob: -Infinity }, { id: 2, text: 'b', logprob: NaN }] });
    // As it arrives: what travelled as JSON has null in their place.
    for (const event of [strange, JSON.parse(JSON.stringify(strange)) as typeof strange]) {
      expect(() => cellOf(event)).not.toThrow();
      const details = tokenDetails(event, 0.5);
      expect(details.before.map(({ probability }) => probability)).toEqual([0, 0]);
      expect(JSON.stringify(details)).not.toMatch(/NaN|Infinity/);
    }
  });
});

it.each(['\u061c', '\u00ad', '\u200b', '\u202e', '\u2028', '\u{e0041}'])('an invisible character %j is shown as a dot', (char) => {
  expect(visibleText(token(`a${char}b`))).toBe('a·b');
});

it('a token that is a space has a title that can be seen', () => {
  expect(tokenDetails(token(' '), null).title).toBe('␣');
});
