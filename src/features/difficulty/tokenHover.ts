/**
 * What a hover says of measured tokens, as Markdown that stays text whatever a token is: every token is a code span
 * with its control characters made visible. Pure: it is given the translations.
 */

import type { Candidate, OracleVerdict, TokenEvent } from '../../protocol/engine.ts';
import { firstScore, oracleVerdict, secondThought } from '../../protocol/run.ts';
import type { SecondThought } from '../../protocol/run.ts';

/** Of `vscode.l10n`. */
export interface Translations {
  readonly t: (message: string, ...values: (string | number)[]) => string;
}

export interface HoverFacts {
  /** Tokens of one span: more than one where they share a character. */
  readonly tokens: readonly TokenEvent[];
  /** The decider's; null for a plain model. */
  readonly threshold: number | null;
  readonly outdated: boolean;
}

const CANDIDATES = 5;

export function hoverMarkdown(l10n: Translations, { tokens, threshold, outdated }: HoverFacts): string {
  const blocks = tokens.map((token) => tokenMarkdown(l10n, token, threshold));
  if (tokens.length > 1) blocks.unshift(l10n.t('These {0} tokens share one character.', tokens.length));
  if (outdated) blocks.push(l10n.t('Measured before the text above it was edited: measure again for its score now.'));
  return blocks.join('\n\n');
}

function tokenMarkdown(l10n: Translations, token: TokenEvent, threshold: number | null): string {
  const score = firstScore(token);
  const facts = [`**${codeSpan(token.text)}**`, token.iterCount > 1 ? l10n.t('{0} passes', token.iterCount) : l10n.t('one pass')];
  if (score === null) facts.push(l10n.t('entropy {0} nats', (token.entropyBefore ?? NaN).toFixed(2)), l10n.t('no decider in this model'));
  else facts.push(threshold === null ? l10n.t('score {0}', shownScore(score)) : l10n.t('score {0}, threshold {1}', shownScore(score), shownScore(threshold)));
  const thought = secondThought(token);
  if (thought !== null) facts.push(thoughtText(l10n, thought));
  return [facts.join(' · '), score === null ? guessText(l10n, token) : verdictText(l10n, oracleVerdict(token)), candidateTable(l10n, token)].join('\n\n');
}

function thoughtText(l10n: Translations, thought: SecondThought): string {
  switch (thought) {
    case 'kept':
      return l10n.t('kept');
    case 'changed':
      return l10n.t('changed');
    case 'changed the pick':
      return l10n.t('changed the pick');
    default:
      return thought satisfies never;
  }
}

function guessText(l10n: Translations, token: TokenEvent): string {
  return token.before[0]?.id === token.id ? l10n.t('The model expected this token.') : l10n.t('The model expected another token.');
}

export function verdictText(l10n: Translations, verdict: OracleVerdict): string {
  switch (verdict) {
    case 'hard-sent':
      return l10n.t('Hard and sent: the first pass expected another token, and the decider asked for a second one.');
    case 'hard-missed':
      return l10n.t('Hard and missed: the first pass expected another token, but the decider let it go.');
    case 'easy-sent':
      return l10n.t('Easy and sent: the first pass was right, and the decider asked for a second one all the same.');
    case 'easy-skipped':
      return l10n.t('Easy and skipped: the first pass was right, and the decider let it go.');
    default:
      return verdict satisfies never;
  }
}

function candidateTable(l10n: Translations, token: TokenEvent): string {
  const twice = token.iterCount > 1;
  const head = twice ? ['', l10n.t('First pass'), '', l10n.t('After the second pass'), ''] : ['', l10n.t('First pass'), ''];
  const rows = token.before.slice(0, CANDIDATES).map((candidate, i) => {
    const after = token.after[i];
    return [String(i + 1), ...candidateCells(candidate, token.id), ...(twice && after !== undefined ? candidateCells(after, token.id) : twice ? ['', ''] : [])];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i % 2 === 0 ? '--:' : ':--'))), ...rows.map(line)].join('\n');
}

function candidateCells(candidate: Candidate, chosen: number): string[] {
  const share = Number.isFinite(candidate.logprob) ? Math.exp(candidate.logprob) : 0;
  const text = codeSpan(candidate.text).replaceAll('|', '\\|');
  return [candidate.id === chosen ? `**${text}**` : text, percent(share)];
}

export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

function shownScore(score: number): string {
  return score > 0 && score < 0.001 ? '<0.001' : score.toFixed(3);
}

/** A code span that its text can't leave; spaces at the ends, line breaks and what can't be seen become signs. */
export function codeSpan(text: string): string {
  if (text === '') return '`◇`';
  const visible = text
    .replace(/\r?\n|\r/g, '⏎')
    .replace(/\t/g, '⇥')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·')
    .replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length));
  const longest = Math.max(0, ...[...visible.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `\`${visible}\`` : `${fence} ${visible} ${fence}`;
}
