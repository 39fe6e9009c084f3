// @vitest-environment happy-dom
/** Guards against a comparison that shows one policy's numbers under another, hides the check, or forgets what a reload must keep. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { COMPARISON_TEST_ID as ID } from '../../../../src/protocol/comparison.ts';
import { ComparisonView } from '../../../../src/webview/comparison/comparisonView.ts';
import { againstText, costOf, flopsText, sumText } from '../../../../src/webview/comparison/columnText.ts';
import { readSavedComparison, saveComparison } from '../../../../src/webview/comparison/savedComparison.ts';
import { column, comparison, tokensOf } from './exampleComparison.ts';

const actions = { onStop: vi.fn(), onAgain: vi.fn(), onSelectModel: vi.fn(), onDraw: vi.fn(), onHeatmap: vi.fn(), canOpen: (): boolean => true };

function show(view: ComparisonView): HTMLElement {
  document.body.replaceChildren(view.node);
  return view.node;
}

function all(root: ParentNode, id: string, role?: string): HTMLElement[] {
  const within = role === undefined ? '' : `[data-role="${role}"] `;
  return [...root.querySelectorAll<HTMLElement>(`${within}[data-testid="${id}"]`)];
}

async function frame(): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(resolve));
  await new Promise((resolve) => setTimeout(resolve, 5));
}

beforeEach(() => {
  vi.clearAllMocks();
});

describe('the comparison', () => {
  it('is one table with a named column for each policy and a named row for each fact and step', () => {
    const root = show(new ComparisonView(comparison(), actions));
    expect(all(root, ID.column).map((head) => [head.getAttribute('scope'), head.dataset['role'], head.querySelector('.column-title')?.textContent])).toEqual([['col', 'never', 'Never twice'], ['col', 'decider', 'Think-at-Hard'], ['col', 'always', 'Always twice']]);
    expect([...root.querySelectorAll('tbody tr')].every((row) => row.querySelector('th[scope="row"]') !== null && row.querySelectorAll('td').length === 3)).toBe(true);
    // Stacked columns are no table to a browser: the roles must be said.
    expect([...root.querySelectorAll('table, tr, td, th')].every((node) => node.hasAttribute('role'))).toBe(true);
  });

  it('has answer, check and cost of each policy in its own column', () => {
    const root = show(new ComparisonView(comparison(), actions));
    expect(['never', 'decider', 'always'].map((role) => all(root, ID.check, role)[0]?.dataset['check'])).toEqual(['verified', 'verified', 'contradicted']);
    expect(all(root, ID.passes).map((node) => node.textContent)).toEqual(['1.00', '1.20', '1.00']);
    expect(all(root, ID.time)[0]?.textContent).toBe('1.00 s');
    expect(all(root, ID.flops)[0]?.textContent).toBe('about 1.23 GFLOP');
    expect(all(root, ID.flops)[0]?.title).toBe('2 × parameters');
    all(root, ID.heatmap, 'always')[0]?.click();
    expect(actions.onHeatmap).toHaveBeenCalledWith('run-always');
  });

  it('says once that the problem is outside of what the model has learned, and offers another one', async () => {
    const view = new ComparisonView(comparison(), actions);
    const root = show(view);
    expect(root.querySelector('[data-testid="scope"]')).toBeNull();
    for (const column of view.snapshot.columns) {
      const { tokens, ...head } = column;
      expect(tokens.length).toBeGreaterThan(0);
      view.applyHead({ ...head, scope: { state: 'outside', reason: { kind: 'words', words: ['proof'] }, subjects: [{ id: 'a', title: 'Sums', example: '', range: '' }] } });
    }
    await frame();
    const notices = [...root.querySelectorAll('[data-testid="scope"]')];
    expect(notices.map((node) => node.textContent.includes('proof'))).toEqual([true]);
    root.querySelector<HTMLElement>('[data-testid="select-model"]')?.click();
    expect(actions.onSelectModel).toHaveBeenCalledOnce();
  });

  it('names the first token that differs and marks its step, and that token among the tokens', () => {
    const root = show(new ComparisonView(comparison(), actions));
    expect(all(root, ID.difference)[0]?.textContent).toBe('The first 4 tokens are equal; then: Never twice “4$⏎”, Think-at-Hard “5$⏎”, Always twice “5$⏎”');
    expect(all(root, ID.step).map((row) => row.classList.contains('difference'))).toEqual([false, true]);
    all(root, ID.asTokens)[0]?.click();
    expect([...root.querySelectorAll('mark')].map((node) => node.textContent)).toEqual(['4$⏎', '5$⏎', '5$⏎']);
    expect(all(root, ID.token, 'decider').filter((node) => node.classList.contains('sent')).map((node) => node.textContent)).toEqual(['5$⏎']);
    expect(all(root, ID.asTokens)[0]?.getAttribute('aria-pressed')).toBe('true');
  });

  it('streams: tokens and heads change their own column only, and untouched rows stay the same nodes', async () => {
    const planned = { ...column('decider', ''), tokens: [], runId: null, state: 'planned', stats: null, answer: null, check: null, flops: null } as const;
    const view = new ComparisonView(comparison({ columns: [column('never', 'Step one\nStep two\n'), planned] }), actions);
    const root = show(view);
    expect([root.dataset['state'], all(root, ID.stop)[0]?.hidden, all(root, ID.again)[0]?.hidden]).toEqual(['running', false, true]);
    view.applyHead({ ...planned, runId: 'run-decider', state: 'running' });
    view.addTokens('decider', tokensOf('Step '));
    await frame();
    const firstRow = all(root, ID.step)[1];
    view.addTokens('decider', tokensOf('one\n'));
    await frame();
    expect(all(root, ID.step)[1]).toBe(firstRow);
    expect(all(root, ID.cell, 'decider')[0]?.textContent).toBe('Step one');
    expect(all(root, ID.cell, 'never')[1]?.textContent).toBe('Step two');
    expect(all(root, ID.state)[0]?.textContent).toBe('Running Think-at-Hard (2 of 2)');
    all(root, ID.stop)[0]?.click();
    expect(actions.onStop).toHaveBeenCalledOnce();
  });

  it('shows what went wrong in the column that it went wrong in', () => {
    const failed = { ...column('never', ''), tokens: [], state: 'failed', answer: null, check: null, error: { code: 'engine.crashed', message: 'The engine ended.', hint: 'Try again.' } } as const;
    const root = show(new ComparisonView(comparison({ columns: [failed, { ...failed, role: 'decider', state: 'skipped', error: null, runId: null }] }), actions));
    expect(all(root, ID.error, 'never')[0]?.textContent).toBe('The engine ended. Try again.');
    expect([root.dataset['state'], all(root, ID.state)[0]?.textContent, all(root, ID.heatmap, 'decider').length]).toEqual(['over', 'Failed', 0]);
  });

  it('never makes HTML, a link or a picture of a text', () => {
    const hostile = '<img src=x onerror=alert(1)> [a](command:evil) <script>1</script>\n';
    const root = show(new ComparisonView(comparison({ problem: hostile, columns: [column('never', hostile, { answer: hostile })] }), actions));
    all(root, ID.asTokens)[0]?.click();
    expect(root.querySelector('img, a, script')).toBeNull();
  });
});

describe('a comparison of a given text', () => {
  it('counts what each policy expected and how surprised it was, and marks the tokens that it did not expect', () => {
    const root = show(new ComparisonView(comparison({ kind: 'measure', columns: [column('never', 'a b c'), column('oracle', 'a b c')] }), actions));
    expect([...root.querySelectorAll('[data-role="never"] > span')].map((node) => node.textContent)).toEqual(expect.arrayContaining(['2 of 3 (66.7 %)', '0.500 nats']));
    expect(root.querySelectorAll('[data-role="oracle"] .wrong')).toHaveLength(1);
    expect(root.querySelectorAll('mark')).toHaveLength(0);
  });
});

describe('costs', () => {
  it('are N + |S| against N and 2N', () => {
    const cost = costOf([{ iterCount: 1 }, { iterCount: 2 }, { iterCount: 1 }, { iterCount: 1 }]);
    expect([sumText(cost), againstText(cost)]).toEqual(['4 + 1 = 5', '1.25 × N, 0.63 × 2N']);
    expect(sumText(costOf([]))).toBe('–');
    expect([flopsText(950), flopsText(12_340), flopsText(5.6e12)]).toEqual(['950 FLOP', '12.3 kFLOP', '5.60 TFLOP']);
  });
});

describe('what is saved for a reload', () => {
  it('brings the whole comparison back, and a run that was cut off by it as stopped', () => {
    const saved = comparison({ columns: [column('never', 'a b'), column('decider', 'a', { state: 'running' }), column('always', '', { state: 'planned' })] });
    const restored = readSavedComparison(JSON.parse(JSON.stringify(saveComparison(saved))));
    expect(restored?.columns.map(({ state }) => state)).toEqual(['done', 'stopped', 'skipped']);
    expect(restored?.columns[0]).toEqual(saved.columns[0]);
  });

  it.each([null, 5, {}, { format: 2, comparison: { id: 'a', columns: [] } }, { format: 1 }, { format: 1, comparison: { id: 'a' } }])('is nothing where it was saved by something else: %j', (value) => {
    expect(readSavedComparison(value)).toBeNull();
  });
});
