/**
 * Two runs of one family side by side: answers, checks and cost in two columns, then both texts aligned from where they
 * part. What both begin with is folded. Draws; diff.ts aligns.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import { visibleText } from '../protocol/tokenRow.ts';
import type { RunSnapshot, TokenRow } from '../protocol/tokenRow.ts';
import { diffTexts } from './diff.ts';
import type { DiffPart, TokenRange } from './diff.ts';
import { button, element, icon } from './dom.ts';
import { branchText } from './familyView.ts';
import { answerRow } from './resultView.ts';
import { stateText } from './summary.ts';
import { l10n } from './texts.ts';

/** Equal tokens that stay in sight beside a difference. */
const CONTEXT = 12;

export function diffView(left: RunSnapshot, right: RunSnapshot, onClose: () => void): HTMLElement {
  const diff = diffTexts(left.rows.map(textOf), right.rows.map(textOf));
  const close = button({ icon: 'close', label: l10n.t('Back to the heatmap'), testId: TEST_ID.closeDiff, onClick: onClose });
  const grid = element('div', { className: 'diff-grid', children: [runHead(left), runHead(right)] });
  const firstChange = diff.parts.findIndex(({ kind }) => kind === 'changed');
  diff.parts.forEach((part, i) => {
    grid.append(...partNodes(part, left.rows, right.rows, { first: firstChange < 0 || i <= firstChange, last: i === diff.parts.length - 1 }));
  });
  const notes: HTMLElement[] = [];
  if (firstChange < 0) notes.push(element('p', { className: 'diff-note', text: l10n.t('Both texts are the same.') }));
  if (!diff.aligned) notes.push(element('p', { className: 'diff-note', text: l10n.t('The texts differ too much to be aligned; they are shown side by side.') }));
  const head = element('div', { className: 'diff-head', children: [element('h2', { text: l10n.t('Difference') }), close] });
  return element('section', { className: 'diff', testId: TEST_ID.diff, attributes: { 'aria-label': l10n.t('Difference'), tabindex: '-1' }, children: [head, ...notes, element('div', { className: 'diff-scroll', attributes: { tabindex: '0', role: 'group', 'aria-label': l10n.t('Both texts') }, children: [grid] })] });
}

/** Special tokens have no text; what is drawn is compared. */
function textOf(row: TokenRow): string {
  return row.special ? '◇' : row.text;
}

function runHead({ head, rows }: RunSnapshot): HTMLElement {
  const passes = rows.reduce((sum, { iterCount }) => sum + iterCount, 0);
  const facts = [stateText(head), l10n.t('{0} tokens', rows.length), l10n.t('{0} passes a token', rows.length === 0 ? '–' : (passes / rows.length).toFixed(2))];
  return element('div', {
    className: 'diff-run',
    children: [element('h3', { text: branchText(head.branch) }), element('p', { className: 'diff-facts', text: facts.join(' · ') }), answerRow(head)],
  });
}

interface Place {
  /** No part before has changed. */
  readonly first: boolean;
  readonly last: boolean;
}

function partNodes(part: DiffPart, left: readonly TokenRow[], right: readonly TokenRow[], place: Place): HTMLElement[] {
  if (part.kind === 'equal') return [equalNode(left.slice(part.left.from, part.left.to), place)];
  return [sideNode('del', left, part.left, place.first), sideNode('ins', right, part.right, false)];
}

function sideNode(tag: 'del' | 'ins', rows: readonly TokenRow[], { from, to }: TokenRange, first: boolean): HTMLElement {
  const node = element(tag, { className: `diff-side diff-${tag}` });
  if (first) node.append(element('span', { className: 'diff-first', children: [icon('debug-stackframe'), element('span', { className: 'sr-only', text: l10n.t('First difference') })] }));
  for (const row of rows.slice(from, to)) node.append(tokenNode(row));
  if (from === to) node.append(element('span', { className: 'diff-nothing', text: l10n.t('(nothing)') }));
  return node;
}

/** Everything but what stands beside a difference is folded; a button shows it. */
function equalNode(rows: readonly TokenRow[], place: Place): HTMLElement {
  const node = element('div', { className: 'diff-equal' });
  const head = place.first ? 0 : CONTEXT;
  const tail = place.last ? 0 : CONTEXT;
  const folded = rows.length - head - tail;
  if (folded <= CONTEXT) {
    node.append(...rows.map(tokenNode));
    return node;
  }
  const fold = button({ icon: 'unfold', label: l10n.t('{0} equal tokens', folded), testId: TEST_ID.diffFold, onClick: () => {
    fold.replaceWith(...rows.slice(head, rows.length - tail).map(tokenNode));
  } });
  node.append(...rows.slice(0, head).map(tokenNode), fold, ...rows.slice(rows.length - tail).map(tokenNode));
  return node;
}

/** A new line is shown as its sign and as itself. */
function tokenNode(row: TokenRow): HTMLElement {
  const text = row.text.includes('\n') ? visibleText(row).replaceAll('⏎', '⏎\n') : visibleText(row);
  return element('span', { className: row.iterCount > 1 ? 'diff-token sent' : 'diff-token', text });
}
