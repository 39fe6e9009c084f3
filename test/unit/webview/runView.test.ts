// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TokenEvent } from '../../../src/protocol/engine.ts';
import german from '../../../l10n/bundle.l10n.de.json';
import { answerCheck } from '../../../src/protocol/answer.ts';
import { ERROR_TEXTS } from '../../../src/protocol/errorTexts.ts';
import { reason, told } from '../../../src/protocol/reasons.ts';
import { AnswerView } from '../../../src/webview/answerView.ts';
import { RunView } from '../../../src/webview/runView.ts';
import { setTexts } from '../../../src/webview/texts.ts';
import { candidates, layOut, numbered, snapshot, token } from './exampleRun.ts';

const actions = {
  onStop: vi.fn(), onInsert: vi.fn(), onReplace: vi.fn(), onCopy: vi.fn(), onRetry: vi.fn(), onRepair: vi.fn(), onHistory: vi.fn(), onShowLog: vi.fn(), onSelectModel: vi.fn(), onSelect: vi.fn(), onFollow: vi.fn(),
  onWant: vi.fn<(from: number, to: number) => void>(), onRegenerate: vi.fn(), onExport: vi.fn(), onScores: vi.fn(), onShow: vi.fn(), onCompare: vi.fn(),
};
const options = { source: 'live', scoresOpen: false } as const;

layOut();

function byId(root: ParentNode, id: string): HTMLElement {
  const node = root.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (node === null) throw new Error(`no ${id}`);
  return node;
}

function show(view: RunView): HTMLElement {
  document.body.replaceChildren(view.node);
  return view.node;
}

async function frame(): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(resolve));
  await new Promise((resolve) => setTimeout(resolve, 5));
}

const swapped: Partial<TokenEvent> = { iterCount: 2, continueProbability: [0.9], before: candidates('a', 'b', 'c'), after: candidates('b', 'a', 'c') };

beforeEach(() => {
  setTexts({});
  vi.clearAllMocks();
});

describe('the run panel', () => {
  it('shows the same after a snapshot in the middle as after all changes', async () => {
    const tokens = [token('So '), token('$x', swapped), token(' = 1$'), token('\n'), token('end')];
    const end = { type: 'end', state: 'done', endReason: 'stop-token', error: null, stats: null, answer: 'x = 1' } as const;
    const whole = new RunView(snapshot(), actions, options);
    whole.apply({ type: 'tokens', tokens: tokens.slice(0, 2) });
    whole.apply({ type: 'tokens', tokens: tokens.slice(2) });
    whole.apply(end);
    const late = new RunView(snapshot({ tokens: tokens.slice(0, 3) }), actions, options);
    late.apply({ type: 'tokens', tokens: tokens.slice(3) });
    late.apply(end);
    await frame();
    expect(late.node.outerHTML).toBe(whole.node.outerHTML);
    expect(byId(whole.node, 'answer-text').textContent).toContain('end');
    expect(byId(whole.node, 'answer-box').dataset['answer']).toBe('x = 1');
  });

  it('offers Stop while the model writes, and Insert and Copy after', async () => {
    const view = new RunView(snapshot(), actions, options);
    const root = show(view);
    expect([byId(root, 'stop').hidden, byId(root, 'insert').hidden]).toEqual([false, true]);
    byId(root, 'stop').click();
    expect(actions.onStop).toHaveBeenCalledOnce();
    view.apply({ type: 'tokens', tokens: [token('Five')] });
    view.apply({ type: 'end', state: 'stopped', endReason: null, error: null, stats: null, answer: null });
    await frame();
    expect([byId(root, 'stop').hidden, byId(root, 'insert').hidden, byId(root, 'copy').hidden]).toEqual([true, false, false]);
    expect(root.dataset['state']).toBe('stopped');
    expect(byId(root, 'answer-box').textContent).toContain('Stopped');
  });

  it('says at once that a question is outside, why, and what the model can do; and that a verified answer is one all the same', async () => {
    const view = new RunView(snapshot(), actions, options);
    const root = show(view);
    expect(root.querySelector('[data-testid="scope"]')).toBeNull();
    const subjects = [{ id: 'a', title: 'Sums', example: '1 + 2', range: 'small' }, { id: 'b', title: '<b>Roots</b>', example: '', range: '' }];
    view.apply({ type: 'scope', scope: { state: 'outside', reason: { kind: 'words', words: ['<img>', 'proof'] }, subjects } });
    await frame();
    expect(byId(root, 'scope-reason').textContent).toContain('<img>, proof');
    expect(byId(root, 'scope-subjects').textContent).toContain('Sums, <b>Roots</b>');
    view.apply({ type: 'end', state: 'done', endReason: 'stop-token', error: null, stats: null, answer: '5' });
    await frame();
    expect(byId(root, 'scope').textContent).not.toContain('all the same');
    view.apply({ type: 'check', check: { state: 'verified', reason: '' } });
    await frame();
    expect(byId(root, 'scope').textContent).toContain('all the same');
    byId(root, 'select-model').click();
    expect(actions.onSelectModel).toHaveBeenCalledOnce();
  });

  it('never leaves an answer without the word on its check', async () => {
    const view = new RunView(snapshot({ state: 'done', answer: '5', tokens: [token('5')] }), actions, options);
    const root = show(view);
    expect(byId(root, 'check').dataset['check']).toBe('pending');
    view.apply({ type: 'check', check: { state: 'contradicted', reason: 'Put back: 20 is not 25.' } });
    await frame();
    expect(byId(root, 'check').dataset['check']).toBe('contradicted');
    expect(byId(root, 'check-reason').textContent).toBe('Put back: 20 is not 25.');
  });

  it('keeps the text of a run that failed, with what to do', () => {
    const error = { code: 'engine.crashed', message: 'The engine ended.', hint: 'Try again.' } as const;
    const root = show(new RunView(snapshot({ state: 'failed', error, tokens: [token('half')] }), actions, options));
    expect(byId(root, 'error').textContent).toContain('The engine ended.Try again.');
    expect(byId(root, 'answer-text').textContent).toBe('half');
    byId(root, 'show-log').click();
    byId(root, 'retry').click();
    expect(actions.onShowLog).toHaveBeenCalledOnce();
    expect(actions.onRetry).toHaveBeenCalledOnce();
  });

  it('offers the repair of a damaged model before another try; not where nothing can be repaired, nor in a run file', () => {
    const buttons = (root: ParentNode): readonly (string | undefined)[] => [...byId(root, 'error').querySelectorAll('button')].map((node) => node.dataset['testid']);
    const error = { code: 'model.corrupted', message: 'model.onnx.data has changed since the import.', file: '/models/mine/model.onnx.data' } as const;
    const live = show(new RunView(snapshot({ state: 'failed', error }), actions, options));
    expect(buttons(live)).toEqual(['repair', 'retry', 'show-log']);
    expect(byId(live, 'repair').textContent).toContain('Repair Model…');
    byId(live, 'repair').click();
    expect(actions.onRepair).toHaveBeenCalledOnce();
    expect(buttons(show(new RunView(snapshot({ state: 'failed', error: { ...error, code: 'model.bundled-damaged' } }), actions, options)))).toEqual(['retry', 'show-log']);
    expect(buttons(show(new RunView(snapshot({ state: 'failed', error: { code: error.code, message: error.message } }), actions, options)))).toEqual(['retry', 'show-log']);
    expect(buttons(show(new RunView(snapshot({ state: 'failed', error }), actions, { ...options, source: 'file' })))).toEqual(['show-log']);
  });

  it('says in the user\'s language what came of a run: the check\'s reason, and of an error what it means before its own words', () => {
    const texts: Record<string, string> = german;
    setTexts(texts);
    const error = { code: 'engine.crashed', message: 'The engine ended.', hint: 'Try again.' } as const;
    const failed = show(new RunView(snapshot({ state: 'failed', error }), actions, options));
    expect(byId(failed, 'error').querySelector('.error-message')?.textContent).toBe(texts[ERROR_TEXTS['engine.crashed']]);
    expect(byId(failed, 'error').querySelector('.error-hint')?.textContent).toBe('The engine ended. Try again.');
    const checked = show(new RunView(snapshot({ state: 'done', answer: '5', check: answerCheck('contradicted', [reason('value-is-not', '2 + 2', '4', '5')]) }), actions, options));
    expect(byId(checked, 'check-reason').textContent).toBe('2 + 2 ist 4, nicht 5.');
    const provider = { provider: 'cpu', ...told('provider-none-works'), rejected: [{ provider: 'webgpu', ...told('provider-hung', '60') }] } as const;
    expect(byId(show(new RunView(snapshot({ provider }), actions, options)), 'provider').title).toBe('kein anderes Gerät arbeitet hier\nwebgpu: Selbsttest nicht bestanden: keine Antwort innerhalb von 60 s');
    const before = show(new RunView(snapshot({ state: 'done', answer: '5', check: { state: 'contradicted', reason: '2 + 2 is 4.' } }), actions, options));
    expect(byId(before, 'check-reason').textContent).toBe('2 + 2 is 4.');
  });
});

describe('the heatmap', () => {
  const tokens = [token('a'), token('b', swapped), token('\n'), token('c', { ...swapped, after: candidates('a', 'b', 'c') }), token('d')];

  it('marks second passes and changed picks by class, data and label', () => {
    const root = show(new RunView(snapshot({ tokens }), actions, options));
    const cells = [...root.querySelectorAll<HTMLElement>('[data-testid="token"]')];
    expect(cells.map((cell) => cell.dataset['iter'])).toEqual(['1', '2', '1', '2', '1']);
    expect(cells.map((cell) => cell.dataset['thought'])).toEqual([undefined, 'changed the pick', undefined, 'kept', undefined]);
    expect(cells[1]?.classList.contains('pick')).toBe(true);
    expect(cells[1]?.classList.contains('heat-9')).toBe(true);
    expect(byId(root, 'heatmap').querySelectorAll('.line')).toHaveLength(2);
  });

  it('is one tab stop and moves with the keys, n and p to second passes', () => {
    const root = show(new RunView(snapshot({ tokens }), actions, options));
    const cells = [...root.querySelectorAll<HTMLElement>('[data-testid="token"]')];
    const key = (name: string): void => {
      document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    };
    cells[0]?.focus();
    key('n');
    expect(document.activeElement).toBe(cells[1]);
    key('n');
    key('ArrowRight');
    key('ArrowRight');
    expect(document.activeElement).toBe(cells[4]);
    key('p');
    key('Home');
    expect(document.activeElement).toBe(cells[0]);
    expect(cells.filter((cell) => cell.getAttribute('tabindex') === '0')).toEqual([cells[0]]);
    expect(actions.onSelect).toHaveBeenLastCalledWith(0);
  });

  it('shows before and after of a selected token, and of a hovered one until the pointer leaves', () => {
    const view = new RunView(snapshot({ tokens }), actions, options);
    const root = show(view);
    const cells = [...root.querySelectorAll<HTMLElement>('[data-testid="token"]')];
    cells[1]?.click();
    // A snapshot has no candidates: they are asked for, once for all neighbours.
    expect(actions.onWant.mock.calls).toEqual([[0, 5]]);
    expect(root.querySelector('[data-testid="thought"]')).toBeNull();
    view.fill(numbered(tokens));
    expect(byId(root, 'thought').textContent).toBe('changed the pick');
    expect(byId(root, 'candidates-after').querySelector('.move-up')?.textContent).toBe('pushed up');
    cells[0]?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
    expect(byId(root, 'thought').textContent).toBe('one pass');
    expect(root.querySelector('[data-testid="candidates-after"]')).toBeNull();
    byId(root, 'heatmap').dispatchEvent(new PointerEvent('pointerleave'));
    expect(byId(root, 'thought').textContent).toBe('changed the pick');
  });

  it('appends: streamed tokens leave the earlier cells untouched', async () => {
    const view = new RunView(snapshot({ tokens }), actions, options);
    const root = show(view);
    const first = root.querySelector('[data-testid="token"]');
    view.apply({ type: 'tokens', tokens: [token('e')] });
    await frame();
    expect(root.querySelector('[data-testid="token"]')).toBe(first);
    expect(root.querySelectorAll('[data-testid="token"]')).toHaveLength(6);
  });
});

describe('a streamed answer', () => {
  it('renders settled paragraphs once, however it is cut, and ends as the whole text', () => {
    const text = 'First **bold** $x$.\n\nSecond $\\frac{1}{2}$ and\nmore.\n\n$$\na\n\nb\n$$\n\n1. one\n2. two';
    const streamed = new AnswerView();
    let settled: Element | null = null;
    for (let i = 0; i < text.length; i++) {
      streamed.append(text.slice(i, i + 1));
      streamed.render(true);
      const first = streamed.node.querySelector('[data-testid="answer-text"] > div');
      if (i > 30) {
        settled ??= first;
        expect(first).toBe(settled);
      }
      expect(streamed.node.textContent).not.toContain('\\frac');
    }
    streamed.render(false);
    const whole = new AnswerView();
    whole.append(text);
    whole.render(false);
    expect(streamed.node.textContent).toBe(whole.node.textContent);
    expect(streamed.node.querySelectorAll('svg')).toHaveLength(whole.node.querySelectorAll('svg').length);
  });
});

describe('while it is used without a mouse', () => {
  it('a status that has not changed is not written again: a screen reader would say it each frame', async () => {
    const view = new RunView(snapshot(), actions, options);
    const state = byId(show(view), 'state');
    const records: unknown[] = [];
    const observer = new MutationObserver((list) => records.push(...list));
    observer.observe(state.parentElement ?? state, { childList: true, subtree: true, characterData: true });
    view.apply({ type: 'tokens', tokens: [token('a')] });
    await frame();
    observer.disconnect();
    expect(records).toEqual([]);
  });

  it('the keyboard stays on a button when Stop goes', async () => {
    const view = new RunView(snapshot({ tokens: [token('a')] }), actions, options);
    const root = show(view);
    byId(root, 'stop').focus();
    view.apply({ type: 'end', state: 'stopped', endReason: null, error: null, stats: null, answer: null });
    await frame();
    expect(document.activeElement).toBe(byId(root, 'insert'));
  });

  it('a run that waits for another says so, and can be stopped', async () => {
    const view = new RunView(snapshot({ state: 'waiting', model: null, provider: null }), actions, options);
    const root = show(view);
    expect([byId(root, 'state').textContent, byId(root, 'stop').hidden, root.dataset['state']]).toEqual(['Waiting for the run before it…', false, 'waiting']);
    view.apply({ type: 'turn' });
    await frame();
    expect(byId(root, 'state').textContent).toBe('Loading model…');
  });
});
