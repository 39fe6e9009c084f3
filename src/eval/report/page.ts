/**
 * A study as one page of HTML: needs no network, no script and no other file. Every text of a model or a task is
 * escaped. Knows no file.
 */

import { isRight } from '../evaluate.ts';
import type { Score } from '../scorecard.ts';
import type { ArmResult, Study } from '../study.ts';
import { escapeHtml, plot, type Point, type Series } from './plot.ts';
import { STYLE } from './style.ts';

export interface PageFacts {
  /** Lines of "name: value" about the model, the machine and the settings. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const POLICY_STYLE = { never: 0, decider: 1, always: 2, oracle: 3 } as const;
/** More problems than this make a page that no one reads; all of them are in the JSON. */
const MOST_PROBLEMS = 500;

export function renderPage(study: Study, { facts }: PageFacts): string {
  const title = `Think-at-Hard on ${study.task}`;
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1>`,
    `<dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`,
    ...answers(study),
    ...solutions(study),
    ...families(study),
    ...problems(study),
    '</main></body></html>',
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: 'th' | 'td'): string => `<tr>${cells.map((cell, index) => (index === 0 ? `<th scope="${tag === 'th' ? 'col' : 'row'}">${cell}</th>` : `<${tag}>${cell}</${tag}>`)).join('')}</tr>`;
  return `<div class="wide"><table><thead>${row(head.map(escapeHtml), 'th')}</thead><tbody>${rows.map((cells) => row(cells.map(escapeHtml), 'td')).join('')}</tbody></table></div>`;
}

const scoreText = ({ accuracy, interval: [low, high] }: Score): string => `${percent(accuracy)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;

function answers(study: Study): string[] {
  const { arms } = study;
  if (arms.length === 0) return [];
  return [
    `<h2>Answers</h2><p>${study.problems} problems, each by every policy. In brackets and as bars: Wilson’s 95 % interval. Replayed: not run again, because the same tokens are sent as at another threshold.</p>`,
    table(
      ['policy', 'right', 'accuracy', 'passes a token', 'second passes skipped', 'tokens', 'cut off', 'not comparable', 'replayed'],
      arms.map(({ name, scorecard: card, replayed }) => [name, `${card.total.right} of ${card.total.problems}`, scoreText(card.total), card.passesPerToken.toFixed(3), percent(1 - card.shareSent), String(card.tokens), String(card.cutOff), String(card.undecided), replayed === 0 ? '–' : `${replayed} of ${card.total.problems}`]),
    ),
    '<div class="plots">',
    plot({ title: 'Accuracy against passes a token', xLabel: 'passes a token', yLabel: 'right answers', series: costSeries(arms), x: [1, 1.1] }),
    plot({ title: 'Skip rate: tokens without a second pass', xLabel: 'tokens without a second pass', yLabel: 'right answers', xShare: true, series: skipSeries(arms), x: [0, 1] }),
    ...sweepOfAnswers(study),
    '</div>',
  ];
}

function pointOf({ name, scorecard: card }: ArmResult, x: number, what: string, label: string): Point {
  return { x, y: card.total.accuracy, interval: card.total.interval, ...(label === '' ? {} : { label }), title: `${name}: ${scoreText(card.total)}, ${what}` };
}

/** Bars of many thresholds would cover each other; the table has them. */
function withoutInterval({ x, y, title }: Point): Point {
  return { x, y, title };
}

/** A series for each policy; the decider's points in the order of their thresholds. */
function byPolicy(arms: readonly ArmResult[], toPoint: (arm: ArmResult) => Point): Series[] {
  return (['never', 'decider', 'always'] as const).flatMap((policy) => {
    const ours = arms.filter((arm) => arm.policy === policy);
    const sweep = ours.filter(({ threshold }) => threshold !== null);
    const own = ours.filter(({ threshold }) => threshold === null);
    return [
      ...(own.length === 0 ? [] : [{ name: policy, style: POLICY_STYLE[policy], points: own.map(toPoint) }]),
      ...(sweep.length === 0 ? [] : [{ name: 'decider at other thresholds', style: 3, points: sweep.map((arm) => withoutInterval(toPoint(arm))), joined: true }]),
    ];
  });
}

function costSeries(arms: readonly ArmResult[]): Series[] {
  return byPolicy(arms, (arm) => pointOf(arm, arm.scorecard.passesPerToken, `${arm.scorecard.passesPerToken.toFixed(3)} passes a token`, arm.threshold === null ? arm.name : ''));
}

function skipSeries(arms: readonly ArmResult[]): Series[] {
  return byPolicy(arms, (arm) => pointOf(arm, 1 - arm.scorecard.shareSent, `${percent(1 - arm.scorecard.shareSent)} skipped`, arm.threshold === null ? arm.name : ''));
}

function sweepOfAnswers({ arms, threshold: own }: Study): string[] {
  const points = arms
    .flatMap((arm) => (arm.policy !== 'decider' ? [] : [{ arm, x: arm.threshold ?? own }]))
    .flatMap(({ arm, x }) => (x === null ? [] : [{ arm, x }]))
    .sort((a, b) => a.x - b.x);
  if (points.length < 2) return [];
  const right = points.map(({ arm, x }) => pointOf(arm, x, `threshold ${x}`, arm.threshold === null ? 'the model’s own' : ''));
  const skipped = points.map(({ arm, x }): Point => ({ x, y: 1 - arm.scorecard.shareSent, title: `${arm.name}: ${percent(1 - arm.scorecard.shareSent)} of the tokens skip the second pass` }));
  return [plot({ title: 'Threshold sweep, answers', xLabel: 'threshold', yLabel: 'share', x: [0, 1], y: [0, 1], series: [{ name: 'right answers', style: 1, points: right, joined: true }, { name: 'tokens without a second pass', style: 0, points: skipped, joined: true }] })];
}

function solutions({ solutions: measured, threshold: own }: Study): string[] {
  if (measured === null || measured.policies.length === 0) return [];
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const rows = measured.policies.map((one) => ({ ...one, accuracy: ratio(one.right, one.tokens), cost: ratio(one.passes, one.tokens) }));
  const sweep = measured.policies.find(({ policy }) => policy === 'decider');
  return [
    `<h2>Worked solutions</h2><p>${measured.problems} given solutions, token by token (teacher-forced): which share of the tokens each policy predicts right. The oracle gives a second pass to exactly the tokens that the first pass has wrong.</p>`,
    table(['policy', 'tokens', 'right', 'loss a token (nats)', 'passes a token', 'first pass wrong'], rows.map((one) => [one.policy, String(one.tokens), `${(100 * one.accuracy).toFixed(2)} %`, ratio(one.loss, one.tokens).toFixed(4), one.cost.toFixed(3), percent(ratio(one.firstPassWrong, one.tokens))])),
    '<div class="plots">',
    plot({ title: 'Next tokens against passes a token', xLabel: 'passes a token', yLabel: 'tokens predicted right', series: rows.map((one) => ({ name: one.policy, style: POLICY_STYLE[one.policy], points: [{ x: one.cost, y: one.accuracy, label: one.policy, title: `${one.policy}: ${percent(one.accuracy)} right, ${one.cost.toFixed(3)} passes a token` }] })), x: [1, 1.1] }),
    ...(sweep === undefined || sweep.sweep.length < 2 ? [] : [sweepOfTokens(sweep, own)]),
    '</div>',
  ];
}

function sweepOfTokens({ sweep, tokens, firstPassWrong }: NonNullable<Study['solutions']>['policies'][number], own: number | null): string {
  const points = (of: (one: (typeof sweep)[number]) => number, what: string, marked = false): Point[] =>
    sweep.map((one) => ({ x: one.threshold, y: of(one), title: `threshold ${one.threshold}: ${percent(of(one))} ${what}`, ...(marked && one.threshold === own ? { label: 'the model’s own' } : {}) }));
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return plot({
    title: 'Threshold sweep, tokens of solutions', xLabel: 'threshold', yLabel: 'share', x: [0, 1], y: [0, 1],
    series: [
      { name: 'skip rate', style: 0, joined: true, points: points((one) => 1 - share(one.sent, tokens), 'skip the second pass', true) },
      { name: 'recall: first pass’s errors that are sent', style: 1, joined: true, points: points((one) => share(one.wrongSent, firstPassWrong), 'of the first pass’s errors are sent') },
      { name: 'precision: sent tokens that are errors', style: 2, joined: true, points: points((one) => share(one.wrongSent, one.sent), 'of the tokens sent are errors') },
    ],
  });
}

function families({ arms }: Study): string[] {
  const names = [...new Set(arms.flatMap(({ scorecard }) => scorecard.families.map(({ family }) => family)))];
  if (names.length < 2) return [];
  const rows = names.map((name) => [name, ...arms.map(({ scorecard }) => {
    const score = scorecard.families.find(({ family }) => family === name);
    return score === undefined ? '–' : `${score.right} of ${score.problems}`;
  })]);
  return ['<h2>Kinds of problems</h2>', table(['kind', ...arms.map(({ name }) => name)], rows)];
}

function problems({ arms }: Study): string[] {
  const [first] = arms;
  if (first === undefined) return [];
  const shown = first.results.slice(0, MOST_PROBLEMS);
  const cell = (arm: ArmResult, id: string): string => {
    const result = arm.results.find((one) => one.id === id);
    return result === undefined ? '–' : `${isRight(result) ? '✓' : '✗'} ${result.answer ?? (result.refused ? '(refused)' : '(no answer)')}`;
  };
  const rows = shown.map(({ id, question, reference }) => [id, question.length > 200 ? `${question.slice(0, 199)}…` : question, reference ?? '(to be refused)', ...arms.map((arm) => cell(arm, id))]);
  const more = first.results.length > shown.length ? `<p>The first ${shown.length} of ${first.results.length}; all of them are in the JSON file.</p>` : '';
  return [`<details><summary>Every problem</summary>${more}`, table(['id', 'question', 'reference', ...arms.map(({ name }) => name)], rows), '</details>'];
}
