/**
 * One explanation: what is known so far of a formula, part by part with its source, and the Markdown of each part.
 * The parts arrive one after another; the thread shows them as they come. Knows no documents and no threads.
 */

import * as vscode from 'vscode';
import type { FormulaFacts } from '../../answer/facts/formulaFacts.ts';
import type { MathService, TexInput, Typeset } from '../../host/math/mathService.ts';
import { errorText } from '../../host/errors.ts';
import { checkReason } from '../../protocol/answer.ts';
import type { AnswerCheck } from '../../protocol/answer.ts';
import { runText, splitThinking } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';
import { EXPLANATION_COMMAND } from './commandLink.ts';
import { factLines, nothingKnown } from './factsText.ts';
import { formulaBlock, formulaInline, themeColors } from './mathMarkdown.ts';
import { partsOf } from './modelText.ts';
import { LONGEST_MARKDOWN, MarkdownBudget, escaped, image, sentence, visible } from './safeMarkdown.ts';

/** What the model was asked, or why it wasn't. */
export type ModelPart = { readonly kind: 'not-asked'; readonly modelName: string; readonly reason: string } | { readonly kind: 'asked'; readonly question: string; readonly modelName: string; readonly run: Run | null };

export interface ExplanationState {
  readonly input: TexInput;
  readonly words: Typeset<string> | null;
  readonly facts: FormulaFacts | null;
  readonly model: ModelPart | null;
}

export interface Part {
  /** Where it comes from. */
  readonly source: string;
  readonly markdown: string;
  /** Only what we wrote ourselves may hold the one command link there is. */
  readonly trusted: boolean;
}

export async function explanationParts(math: MathService, state: ExplanationState): Promise<readonly Part[]> {
  return [await wordsPart(math, state), await factsPart(math, state), ...(state.model === null ? [] : [await modelPart(math, state.model)])];
}

async function wordsPart(math: MathService, { input, words }: ExplanationState): Promise<Part> {
  const source = vscode.l10n.t('In words · Speech Rule Engine');
  const said = words === null ? vscode.l10n.t('Reading…') : wordsText(words);
  const alternative = words?.kind === 'done' ? words.value : input.tex;
  return { source, markdown: `${await formulaBlock(math, { ...input, display: true }, alternative, LONGEST_MARKDOWN - 10_000)}\n\n${sentence(said)}`, trusted: false };
}

function wordsText(words: Typeset<string>): string {
  switch (words.kind) {
    case 'done':
      return words.value;
    case 'too-long':
      return vscode.l10n.t('This formula is too long to be read out.');
    case 'slow':
      return vscode.l10n.t('Putting this formula into words takes too long.');
    case 'fault':
      return vscode.l10n.t('A formula that is not valid TeX can’t be put into words.');
    case 'failed':
      return vscode.l10n.t('The formula could not be put into words: {0}', words.message);
    default:
      return words satisfies never;
  }
}

async function factsPart(math: MathService, { facts }: ExplanationState): Promise<Part> {
  const source = vscode.l10n.t('Computer algebra · Compute Engine, confirmed with mathjs');
  if (facts === null) return { source, markdown: escaped(vscode.l10n.t('Calculating…')), trusted: false };
  const budget = new MarkdownBudget();
  const lines: string[] = [];
  for (const { label, math: formulas } of factLines(facts)) {
    const drawn: string[] = [];
    for (const tex of formulas) {
      const { markdown, source: tex2 } = await formulaInline(math, { tex, display: false });
      drawn.push(budget.take(markdown, tex2));
    }
    lines.push(budget.take(`**${escaped(label)}**${drawn.length === 0 ? '' : ': '}`, '') + drawn.join(', '));
  }
  if (lines.length === 0 && facts.plot === null) lines.push(sentence(nothingKnown(facts)));
  if (facts.plot !== null) {
    const { plotSvg } = await import('./plotSvg.ts');
    const picture = image(plotSvg(facts.plot, themeColors()), plotText(facts));
    lines.push(budget.take(picture, ''));
  }
  return { source, markdown: lines.filter((text) => text !== '').join('\n\n'), trusted: false };
}

function plotText({ plot }: FormulaFacts): string {
  if (plot === null) return '';
  const curves = plot.curves.map(({ tex }) => tex).join(', ');
  return vscode.l10n.t('Plot of {0} for {1} from {2} to {3}', curves, plot.variable, plot.x[0], plot.x[1]);
}

async function modelPart(math: MathService, model: ModelPart): Promise<Part> {
  const source = vscode.l10n.t('Model · {0}', visible(model.modelName));
  if (model.kind === 'not-asked') {
    const link = `[${escaped(vscode.l10n.t('Select a larger model'))}](command:${EXPLANATION_COMMAND})`;
    return { source, markdown: `${sentence(model.reason)}\n\n${link}`, trusted: true };
  }
  const { run, question } = model;
  const asked = `*${sentence(vscode.l10n.t('Asked: {0}', question))}*`;
  if (run === null) return { source, markdown: `${asked}\n\n${escaped(vscode.l10n.t('Waiting for the model…'))}`, trusted: false };
  const budget = new MarkdownBudget(LONGEST_MARKDOWN - 20_000);
  const { answer, thinking, thinkingDone } = splitThinking(runText(run));
  const text = answer === '' && !thinkingDone ? (thinking ?? '') : answer;
  const shown: string[] = [];
  for (const part of partsOf(text, run.state === 'running')) {
    if (part.kind === 'text') shown.push(budget.take(escaped(part.text), ''));
    else {
      const { markdown, source: tex } = await formulaInline(math, { tex: part.tex, display: part.display });
      shown.push(budget.take(part.display ? `\n\n${markdown}\n\n` : markdown, tex));
    }
  }
  return { source, markdown: [asked, shown.join(''), `**${sentence(statusText(run))}**`].filter((piece) => piece !== '').join('\n\n'), trusted: false };
}

function statusText(run: Run): string {
  switch (run.state) {
    case 'waiting':
      return vscode.l10n.t('Waiting for the run before it…');
    case 'running':
      return vscode.l10n.t('Thinking…');
    case 'failed':
      return run.error === null ? vscode.l10n.t('Failed') : errorText(run.error);
    case 'stopped':
      return vscode.l10n.t('Stopped');
    case 'done':
      return run.check === null ? vscode.l10n.t('Checking…') : checkText(run.check);
    default:
      return run.state satisfies never;
  }
}

function checkText(check: AnswerCheck): string {
  const reason = checkReason(check, (text, ...values) => vscode.l10n.t(text, ...values));
  switch (check.state) {
    case 'verified':
      return vscode.l10n.t('✓ Verified by computer algebra: {0}', reason);
    case 'contradicted':
      return vscode.l10n.t('✗ Contradicted by computer algebra: {0}', reason);
    case 'unchecked':
      return vscode.l10n.t('Could not be checked: {0}', reason);
    default:
      return check.state satisfies never;
  }
}
