/**
 * What all exports of a run have in common: its facts in a few lines, how a token is coloured, and text that is safe
 * in markup. Pure. Text of a model is hostile: it never becomes markup.
 */

import type { Palette } from '../../../protocol/heatmap.ts';
import { runText, splitThinking } from '../../../protocol/run.ts';
import type { Run } from '../../../protocol/run.ts';
import { HEAT_SHARES, heatBucket } from '../../../protocol/tokenRow.ts';

/** `&`, `<`, `>` and quotes as entities; what markup may not hold, or what reorders a text, as a mark. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (char) => (char === '\n' || char === '\t' ? char : '·'))
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '·')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

/** Letters and digits of the problem: what every file system takes. */
export function fileName(problem: string): string {
  const words = problem.normalize('NFKD').replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
  return words === '' ? 'heatmap' : words.toLowerCase();
}

/** The decider's threshold in this run; null for a plain model. */
export function thresholdOf(run: Pick<Run, 'policy' | 'model'>): number | null {
  const own = 'threshold' in run.policy ? run.policy.threshold : undefined;
  return own ?? run.model?.threshold ?? null;
}

export interface RunFact {
  readonly label: string;
  readonly value: string;
}

export function runFacts(run: Run): RunFact[] {
  const passes = run.tokens.reduce((sum, { iterCount }) => sum + iterCount, 0);
  const sent = run.tokens.filter(({ iterCount }) => iterCount > 1).length;
  const count = run.tokens.length;
  const threshold = thresholdOf(run);
  const facts: RunFact[] = [
    { label: 'Tokens', value: String(count) },
    { label: 'Second passes', value: count === 0 ? '0' : `${sent} (${((sent / count) * 100).toFixed(1)} %)` },
    { label: 'Passes a token', value: count === 0 ? '–' : (passes / count).toFixed(2) },
  ];
  if (run.model !== null) facts.unshift({ label: 'Model', value: run.model.name });
  if (threshold !== null) facts.push({ label: 'Threshold', value: String(Number(threshold.toFixed(4))) });
  if (run.sampling !== null && run.sampling.temperature > 0) facts.push({ label: 'Seed', value: String(run.sampling.seed) });
  if (run.answer !== null) facts.push({ label: 'Answer', value: run.answer });
  if (run.check !== null) facts.push({ label: 'Check', value: `${run.check.state}: ${run.check.reason}` });
  facts.push({ label: 'Made', value: run.createdAt });
  return facts;
}

/** The answer as text, without the model's thinking; '' for a measured text. */
export function answerOf(run: Run): string {
  return run.kind === 'measure' ? '' : splitThinking(runText(run)).answer.trim();
}

/** Background of a token's score, or null for none. */
export function heatColour(score: number | null, palette: Palette): string | null {
  const share = (HEAT_SHARES[heatBucket(score) ?? 0] ?? 0) * palette.most;
  return share === 0 ? null : mix(palette.heat, palette.background, share);
}

/** How high contrast shows a score: by lines, never by a fill behind text. */
export function heatLine(score: number | null, palette: Palette): 'none' | 'dotted' | 'solid' | 'box' {
  const bucket = heatBucket(score) ?? 0;
  if (palette.most > 0 || bucket < 3) return 'none';
  if (bucket < 6) return 'dotted';
  return bucket < 9 ? 'solid' : 'box';
}

function mix(top: string, bottom: string, share: number): string {
  const part = (at: number): string => {
    const value = parseInt(top.slice(at, at + 2), 16) * share + parseInt(bottom.slice(at, at + 2), 16) * (1 - share);
    return Math.round(value).toString(16).padStart(2, '0');
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}
