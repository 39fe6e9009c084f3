/**
 * The relatives of the run that is shown: the first run and its branches, each with what it changed and what came of
 * it, to switch to and to compare with. Hidden while there is only one. Draws FamilyMembers.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { FamilyMember } from '../protocol/family.ts';
import { hasEnded } from '../protocol/run.ts';
import type { Branch } from '../protocol/run.ts';
import { printable } from '../protocol/tokenRow.ts';
import { element, icon, iconButton } from './dom.ts';
import { l10n } from './texts.ts';
import { withSpaces } from './tokenCell.ts';

export interface FamilyActions {
  readonly onShow: (runId: string) => void;
  readonly onCompare: (runId: string) => void;
}

export class FamilyView {
  readonly node = element('nav', { className: 'family', testId: TEST_ID.family });

  constructor(private readonly actions: FamilyActions) {
    this.node.setAttribute('aria-label', l10n.t('Branches'));
    this.node.hidden = true;
  }

  draw(members: readonly FamilyMember[], shownId: string): void {
    this.node.hidden = members.length < 2;
    const list = element('ul', { className: 'family-list', children: members.map((member) => this.member(member, member.id === shownId)) });
    this.node.replaceChildren(element('span', { className: 'family-label', children: [icon('git-branch'), element('span', { text: l10n.t('Branches') })] }), list);
  }

  private member(member: FamilyMember, shown: boolean): HTMLElement {
    const node = element('button', { className: 'family-run', testId: TEST_ID.relative, attributes: { type: 'button', 'data-run': member.id } });
    if (shown) node.setAttribute('aria-current', 'true');
    node.append(element('span', { className: 'family-change', text: branchText(member.branch) }));
    const outcome = outcomeText(member);
    if (outcome !== '') node.append(element('span', { className: 'family-outcome', text: outcome }));
    node.addEventListener('click', () => {
      if (!shown) this.actions.onShow(member.id);
    });
    const item = element('li', { className: `family-member depth-${Math.min(3, member.depth)}`, children: [node] });
    if (!shown) {
      item.append(iconButton({ icon: 'diff', label: l10n.t('Compare with: {0}', branchText(member.branch)), testId: TEST_ID.compare, onClick: () => {
        this.actions.onCompare(member.id);
      } }));
    }
    return item;
  }
}

function outcomeText({ state, answer, check }: FamilyMember): string {
  if (!hasEnded({ state })) return l10n.t('running…');
  if (answer === null) return l10n.t('no answer');
  const short = printable(answer.length > 24 ? `${answer.slice(0, 23)}…` : answer);
  if (check === null || check.state === 'unchecked') return short;
  return `${short} ${check.state === 'verified' ? '✓' : '✗'}`;
}

/** What a branch does otherwise than the run it comes from. */
export function branchText(branch: Branch | null): string {
  if (branch === null) return l10n.t('Original');
  const token = branch.index + 1;
  const { change } = branch;
  switch (change.kind) {
    case 'threshold':
      return l10n.t('from token {0}: threshold {1}', token, Number(change.threshold.toFixed(3)));
    case 'passes':
      return change.iterCount > 1 ? l10n.t('token {0}: second pass forced', token) : l10n.t('token {0}: second pass skipped', token);
    case 'token':
      return l10n.t('token {0}: “{1}”', token, withSpaces(printable(change.text)));
    default:
      return change satisfies never;
  }
}
