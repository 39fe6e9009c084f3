// @vitest-environment happy-dom
// The views around the tokens: what a user can do in each reaches the right token, and what cannot be done is not offered.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Run } from '../../../src/protocol/run.ts';
import { runSnapshot } from '../../../src/protocol/tokenRow.ts';
import type { RunSourceKind } from '../../../src/protocol/heatmap.ts';
import { diffView } from '../../../src/webview/diffView.ts';
import { branchText, FamilyView } from '../../../src/webview/familyView.ts';
import { HeatmapPane } from '../../../src/webview/heatmapPane.ts';
import { histogramText } from '../../../src/webview/histogram.ts';
import { menuButton } from '../../../src/webview/menu.ts';
import { parseColour } from '../../../src/webview/palette.ts';
import { candidates, layOut, numbered, run, token } from './exampleRun.ts';

layOut();

const actions = { onSelect: vi.fn(), onFollow: vi.fn(), onWant: vi.fn(), onRegenerate: vi.fn(), onExport: vi.fn(), onScores: vi.fn() };

const TOKENS = [
  token('Three', { continueProbability: [0.1] }),
  token(' x', { continueProbability: [0.9], iterCount: 2, before: candidates('a', 'b'), after: candidates('b', 'a') }),
  token(' is', { continueProbability: [0.4] }),
  token(' nine', { continueProbability: [0.7], iterCount: 2, before: candidates('a', 'b'), after: candidates('a', 'b') }),
];

function pane(more: Partial<Run> = {}, source: RunSourceKind = 'live'): { readonly root: HTMLElement; readonly get: (id: string) => HTMLElement; readonly all: (id: string) => HTMLElement[]; readonly view: HeatmapPane } {
  const whole = run({ state: 'done', tokens: numbered(TOKENS), ...more });
  const { head } = runSnapshot(whole);
  const view = new HeatmapPane(head, actions, { source, scoresOpen: true });
  view.addTokens(whole.tokens);
  view.draw(head);
  document.body.replaceChildren(view.node);
  const all = (id: string): HTMLElement[] => [...view.node.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
  return { root: view.node, view, all, get: (id) => all(id)[0] ?? expect.fail(`no ${id}`) };
}

function slide(slider: HTMLElement, value: string): void {
  if (!(slider instanceof HTMLInputElement)) expect.fail('no input');
  slider.value = value;
  slider.dispatchEvent(new Event('input'));
}

beforeEach(() => {
  vi.clearAllMocks();
});

describe('a threshold', () => {
  it('marks what would change, says where the text could differ, and regenerates from there', () => {
    const { get, root } = pane();
    slide(get('threshold'), '0.3');
    expect(get('replay').textContent).toBe('With threshold 0.300, 3 of 4 tokens would be sent (75 %). The text could first differ at token 3.');
    expect(root.querySelector('.tokens .would')?.textContent).toBe(' is');
    expect(root.querySelector('.tokens .first-difference')?.textContent).toBe(' is');
    get('regenerate').click();
    expect(actions.onRegenerate).toHaveBeenCalledWith(2, { kind: 'threshold', threshold: 0.3 });
    get('reset-threshold').click();
    expect(root.querySelectorAll('.tokens .would, .tokens .first-difference')).toHaveLength(0);
  });

  it('never says what would have been said, in any of its states', () => {
    const { get } = pane();
    for (const value of ['0', '0.5', '1']) {
      slide(get('threshold'), value);
      expect(get('replay').textContent).toContain('would be sent');
      expect(get('replay').textContent).not.toContain('would have said');
    }
  });

  it('of a plain model or without scores says why there is none', () => {
    const base = run().model;
    if (base === null) expect.fail('no model');
    expect(pane({ model: { ...base, maxIter: 1 } }).get('replay').textContent).toContain('plain model');
    const silent = pane({ tokens: numbered(TOKENS.map((one) => ({ ...one, continueProbability: [] }))) });
    expect(silent.get('replay').textContent).toContain('was not asked');
    const deep = pane({ model: { ...base, maxIter: 3 } });
    slide(deep.get('threshold'), '0.3');
    expect(deep.get('replay').textContent).toContain('only the second can be replayed');
  });

  it('costs are those of never, this run and always', () => {
    const rows = [...pane().get('cost-table').querySelectorAll('tbody tr')].map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent).join(' '));
    expect(rows).toEqual(['never twice 4 1.00', 'this run 6 1.50', 'always twice 8 2.00']);
  });
});

describe('details', () => {
  it('offer another token, a skipped or forced pass and another threshold, for the token that is shown', () => {
    const { get, all } = pane();
    all('token')[1]?.click();
    get('take').click();
    get('skip-pass').click();
    all('token')[0]?.click();
    get('force-pass').click();
    const input = get('from-here-threshold');
    if (!(input instanceof HTMLInputElement)) expect.fail('no input');
    input.value = '2';
    get('from-here').click();
    expect(input.getAttribute('aria-invalid')).toBe('true');
    input.value = '0.25';
    get('from-here').click();
    expect(actions.onRegenerate.mock.calls).toEqual([
      [1, { kind: 'token', id: 198, text: 'b' }], [1, { kind: 'passes', iterCount: 1 }], [0, { kind: 'passes', iterCount: 2 }], [0, { kind: 'threshold', threshold: 0.25 }],
    ]);
  });

  it.each([['a run file', {}, 'file'], ['a measured text', { kind: 'measure' }, 'live'], ['a run that goes on', { state: 'running' }, 'live']] as const)('of %s offer nothing to regenerate', (_, more, source) => {
    const { all } = pane(more, source);
    all('token')[1]?.click();
    expect(['take', 'skip-pass', 'force-pass', 'from-here', 'candidates-after'].map((id) => all(id).length)).toEqual([0, 0, 0, 0, 1]);
  });

  it('show the place of the token in the text', () => {
    const { all, get } = pane();
    all('token')[2]?.click();
    expect(get('place').innerHTML).toBe('Three x<mark> is</mark> nine');
  });
});

describe('steps and search', () => {
  it('go to second passes, or to matches, and tell which', () => {
    const { get, root } = pane();
    get('next-hard').click();
    get('next-hard').click();
    expect(actions.onSelect.mock.calls).toEqual([[1], [3]]);
    const search = get('search');
    if (!(search instanceof HTMLInputElement)) expect.fail('no input');
    search.value = 'X IS';
    search.dispatchEvent(new Event('input'));
    expect(get('search-count').textContent).toBe('1 found');
    search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    expect(get('search-count').textContent).toBe('1 of 1');
    expect([...root.querySelectorAll('.match-current')].map((cell) => cell.textContent)).toEqual([' x', ' is']);
    search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    expect(root.querySelectorAll('.match')).toHaveLength(0);
  });

  it('show what is selected in the document, and do not tell the document of it', () => {
    const { root, view } = pane();
    view.follow(2);
    expect(root.querySelector('[aria-selected="true"]')?.textContent).toBe(' is');
    expect([actions.onFollow.mock.calls, actions.onSelect.mock.calls]).toEqual([[[2]], []]);
  });

  it('of a measured text step through the cell of the oracle table that is chosen', () => {
    const { all, get } = pane({ kind: 'measure', tokens: numbered(TOKENS.map((one, i) => ({ ...one, id: i === 3 ? 5 : 197 }))) });
    const cell = all('oracle-cell').find((one) => one.dataset['verdict'] === 'hard-sent');
    expect(cell?.textContent).toBe('1 (25 %)');
    cell?.click();
    expect(cell?.getAttribute('aria-pressed')).toBe('true');
    get('next-hard').click();
    expect(actions.onSelect).toHaveBeenLastCalledWith(3);
    cell?.click();
    get('previous-hard').click();
    expect(actions.onSelect).toHaveBeenLastCalledWith(1);
  });
});

describe('branches', () => {
  it('say what they changed, with a model\'s text as text', () => {
    expect(branchText(null)).toBe('Original');
    expect(branchText({ parentId: 'a', index: 11, change: { kind: 'passes', iterCount: 1 } })).toBe('token 12: second pass skipped');
    expect(branchText({ parentId: 'a', index: 0, change: { kind: 'token', id: 1, text: ' <b>\u202e' } })).toBe('token 1: “␣<b>·”');
  });

  it('are shown when there are two, to switch to and to compare with', () => {
    const events = { onShow: vi.fn(), onCompare: vi.fn() };
    const view = new FamilyView(events);
    const member = { state: 'done', tokens: 3, answer: '5', check: null } as const;
    const branch = { parentId: 'a', index: 2, change: { kind: 'threshold', threshold: 0.3 } } as const;
    view.draw([{ ...member, id: 'a', depth: 0, branch: null }], 'a');
    expect(view.node.hidden).toBe(true);
    view.draw([{ ...member, id: 'a', depth: 0, branch: null }, { ...member, id: 'b', depth: 1, branch }], 'a');
    const [own, other] = view.node.querySelectorAll<HTMLElement>('[data-testid="relative"]');
    own?.click();
    other?.click();
    view.node.querySelector<HTMLElement>('[data-testid="compare"]')?.click();
    expect([events.onShow.mock.calls, events.onCompare.mock.calls]).toEqual([[['b']], [['b']]]);
  });

  it('fold what both begin with, and mark the first difference once', () => {
    const same = Array.from({ length: 40 }, (_, i) => token(` w${i}`));
    const left = runSnapshot(run({ state: 'done', answer: '5', tokens: numbered([...same, token(' five'), token(' end')]) }));
    const right = runSnapshot(run({ id: 'r2', state: 'done', answer: '6', tokens: numbered([...same, token(' six'), token(' end'), token(' no', { special: true })]) }));
    const close = vi.fn();
    const node = diffView(left, right, close);
    expect(node.querySelectorAll('.diff-first')).toHaveLength(1);
    expect(node.querySelector('del')?.textContent).toContain('five');
    expect(node.querySelector('ins')?.textContent).toContain('six');
    const fold = node.querySelector<HTMLElement>('[data-testid="diff-fold"]');
    expect(fold?.textContent).toBe('28 equal tokens');
    fold?.click();
    expect(node.querySelector('.diff-equal')?.textContent).toBe(same.map((one) => one.text).join(''));
    node.querySelector<HTMLElement>('[data-testid="close-diff"]')?.click();
    expect(close).toHaveBeenCalledOnce();
    expect(diffView(left, left, close).textContent).toContain('Both texts are the same.');
  });
});

it('a menu opens, moves by arrows, closes by Escape, and does what was chosen', () => {
  const chosen = vi.fn();
  const node = menuButton({ icon: 'export', label: 'Export', testId: 'export', items: [{ name: 'a', label: 'A', onChoose: () => undefined }, { name: 'b', label: 'B', onChoose: chosen }] });
  document.body.replaceChildren(node);
  const opener = node.querySelector<HTMLElement>('[data-testid="export"]');
  const key = (name: string): void => {
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
  };
  opener?.click();
  expect(document.activeElement?.textContent).toBe('A');
  key('ArrowDown');
  expect(document.activeElement?.textContent).toBe('B');
  key('ArrowDown');
  expect(document.activeElement?.textContent).toBe('A');
  key('Escape');
  expect([document.activeElement === opener, opener?.getAttribute('aria-expanded')]).toEqual([true, 'false']);
  opener?.click();
  node.querySelector<HTMLElement>('[data-item="b"]')?.click();
  expect(chosen).toHaveBeenCalledOnce();
});

it('colours of a page are read in the ways that browsers write them', () => {
  expect(parseColour('rgb(1, 2, 3)')).toEqual([1, 2, 3, 1]);
  expect(parseColour('rgba(1, 2, 3, 0.5)')).toEqual([1, 2, 3, 0.5]);
  expect(parseColour('color(srgb 1 0.5 0 / 0.25)')).toEqual([255, 127.5, 0, 0.25]);
  expect(parseColour('inherit')).toBeNull();
});

it('a histogram is told in quarters', () => {
  expect(histogramText([5, 1, 0, 0, 2, 0, 0, 3])).toBe('Histogram of scores, heights as square roots: 6 tokens below 0.25, 0 to 0.5, 2 to 0.75, 3 above');
});
