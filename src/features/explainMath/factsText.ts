/** Facts of computer algebra as lines in the user's language: a label and TeX that is drawn behind it. */

import * as vscode from 'vscode';
import type { Fact, FormulaFacts } from '../../answer/facts/formulaFacts.ts';
import { sayReason } from '../../protocol/reasons.ts';
import type { Reason } from '../../protocol/reasons.ts';

export interface FactLine {
  readonly label: string;
  readonly math: readonly string[];
}

export function factLines(known: FormulaFacts): readonly FactLine[] {
  return known.facts.map(factLine);
}

function factLine(fact: Fact): FactLine {
  switch (fact.kind) {
    case 'value': {
      const parts = [...(fact.exact === null ? [] : [fact.exact]), ...(fact.decimal === null ? [] : [fact.decimal])];
      return { label: vscode.l10n.t('Value'), math: [parts.join(fact.rounded ? '\\approx ' : ' = ')] };
    }
    case 'simplified':
      return { label: vscode.l10n.t('Simplified'), math: [fact.tex] };
    case 'expanded':
      return { label: vscode.l10n.t('Expanded'), math: [fact.tex] };
    case 'factored':
      return { label: vscode.l10n.t('Factorised'), math: [fact.tex] };
    case 'result':
      return { label: vscode.l10n.t('Result'), math: [fact.tex] };
    case 'derivative':
      return { label: vscode.l10n.t('Derivative'), math: [`\\frac{d}{d${fact.variable}} = ${fact.tex}`] };
    case 'solutions':
      return { label: solutionsLabel(fact), math: fact.solutions };
    case 'rearranged':
      return { label: vscode.l10n.t('Rearranged'), math: [fact.tex] };
    case 'domain':
      return fact.conditions.length === 0 ? { label: vscode.l10n.t('Defined for every real number'), math: [] } : { label: vscode.l10n.t('Defined for'), math: fact.conditions };
    case 'no-real-solution':
      return { label: vscode.l10n.t('There is no real solution'), math: [] };
    case 'always-true':
      return { label: vscode.l10n.t('Both sides are equal for all values'), math: [] };
    case 'never-true':
      return { label: vscode.l10n.t('The equations contradict each other: there is no solution'), math: [] };
    case 'holds':
      return { label: vscode.l10n.t('Both sides are equal'), math: [] };
    case 'holds-not':
      return { label: vscode.l10n.t('The two sides are not equal'), math: [] };
    default:
      return fact satisfies never;
  }
}

function solutionsLabel({ all, solutions }: Extract<Fact, { kind: 'solutions' }>): string {
  if (all !== true) return vscode.l10n.t('Solutions (there may be others)');
  return solutions.length === 1 ? vscode.l10n.t('The only real solution') : vscode.l10n.t('All real solutions');
}

/** What is said where there is no fact, or none for certain. */
export function nothingKnown({ kind, reason, stopped }: FormulaFacts): string {
  if (stopped !== null) return vscode.l10n.t('This formula takes computer algebra too long: {0}', said(stopped));
  if (kind === 'unread' && reason !== null) return vscode.l10n.t('Computer algebra says nothing of this formula, because {0}.', said(reason));
  if (reason !== null) return vscode.l10n.t('Computer algebra found nothing that could be confirmed: {0}.', said(reason));
  return vscode.l10n.t('Computer algebra has nothing to add to this formula.');
}

function said(reason: Reason): string {
  return sayReason(reason, (text, ...values) => vscode.l10n.t(text, ...values));
}
