// @vitest-environment happy-dom
/** Guards against a view that stays English in another language: every word that is not the user's own must come from the bundle. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import english from '../../../../l10n/bundle.l10n.json';
import type { ComparisonSnapshot } from '../../../../src/protocol/comparison.ts';
import { ComparisonView } from '../../../../src/webview/comparison/comparisonView.ts';
import { setTexts } from '../../../../src/webview/texts.ts';
import { column, comparison } from './exampleComparison.ts';

const actions = { onStop: (): void => undefined, onAgain: (): void => undefined, onSelectModel: (): void => undefined, onDraw: (): void => undefined, onHeatmap: (): void => undefined, canOpen: (): boolean => true };

/** Units, and signs of mathematics: the same in every language. */
const SAME_EVERYWHERE = /\b(GFLOP|N|S|x)\b|\d+N/g;

/** No Latin letter is left of a translated text; its holes are. */
function pseudo(text: string): string {
  return text.split(/(\{\d+\})/).map((part, i) => (i % 2 === 1 ? part : part.replace(/[A-Za-z]/g, 'ж'))).join('');
}

/** Everything that is read or heard of the page. */
function visible(root: Element): string[] {
  const texts: string[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) texts.push(node.textContent ?? '');
  for (const node of [root, ...root.querySelectorAll('*')]) {
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-label']) texts.push(node.getAttribute(name) ?? '');
  }
  return texts;
}

function englishLeft(snapshot: ComparisonSnapshot): string[] {
  const view = new ComparisonView(snapshot, actions);
  document.body.replaceChildren(view.node);
  return visible(view.node).map((text) => text.replace(SAME_EVERYWHERE, '')).filter((text) => /[A-Za-z]/.test(text));
}

beforeAll(() => {
  setTexts(Object.fromEntries(Object.keys(english).map((text) => [text, pseudo(text)])));
});

afterAll(() => {
  setTexts({});
});

describe('the comparison in another language', () => {
  const own = { answer: '5', check: { state: 'verified', reason: '!' }, flops: { flops: 1e9, formula: '…' } } as const;

  it('is in that language when it is over', () => {
    const columns = (['never', 'decider', 'always', 'oracle'] as const).map((role, i) => column(role, `1\n${i}\n`, own));
    expect(englishLeft(comparison({ problem: '3 = 3', columns }))).toEqual([]);
    expect(englishLeft(comparison({ kind: 'measure', problem: '3 = 3', columns }))).toEqual([]);
  });

  it('is in that language in every state', () => {
    for (const state of ['planned', 'skipped', 'waiting', 'running', 'stopped', 'failed', 'done'] as const) {
      const columns = [column('never', '1\n', { ...own, state, answer: null, check: null, endReason: 'max-tokens' }), column('decider', '', { ...own, state, tokens: [], check: null, endReason: 'context-limit' })];
      expect(englishLeft(comparison({ problem: '3 = 3', columns })), state).toEqual([]);
    }
  });
});
