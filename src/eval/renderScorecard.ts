/** A scorecard as a plain-text table. Knows no terminal: no colours, no width. */

import type { ThinkingPolicy } from '../protocol/engine.ts';
import type { Score, Scorecard } from './scorecard.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(name: string, score: Score): readonly string[] {
  return [name, String(score.problems), String(score.right), percent(score.accuracy), `${(100 * score.interval[0]).toFixed(1)}–${(100 * score.interval[1]).toFixed(1)} %`];
}

/** Lines joined by \n, without one at the end. */
export function renderScorecard(card: Scorecard): string {
  const rows = [['family', 'problems', 'right', 'accuracy', '95 % interval'], ...card.families.map((family) => row(family.family, family)), row('all', card.total)];
  const widths = rows.reduce<number[]>((all, cells) => cells.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  const table = rows.map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '));
  const { secondPasses: second } = card;
  const facts: readonly (readonly [string, string])[] = [
    ['Task', `${card.task}${card.complete ? '' : ' (not complete)'}`],
    ['Model', `${card.model.name} (${card.model.quantization}), ${card.model.hash?.slice(0, 12) ?? 'weights not known'}, on ${card.provider}`],
    ['Policy', describePolicy(card.policy)],
    ['Sampling', describeSampling(card.sampling)],
    ['Family mean', percent(card.familyMean)],
    ['Checks', `${card.checks.verified} verified, ${card.checks.contradicted} contradicted, ${card.checks.unchecked} could not be checked`],
    ['Wrong but verified', String(card.wrongButVerified)],
    ['Outside', `${card.scope.caught.right} of ${card.scope.caught.problems} caught, ${card.scope.wronglyRefused.right} of ${card.scope.wronglyRefused.problems} others taken for such`],
    ['Refusals', `${card.refusals.right} rightly, ${card.refusals.wrong} wrongly`],
    ...(card.undecided + card.failed + card.cutOff === 0 ? [] : [['Not solved', `${card.undecided} not comparable, ${card.failed} refused by the engine, ${card.cutOff} cut off at a limit`] as const]),
    ['Passes a token', card.passesPerToken.toFixed(3)],
    ['Second passes', `${percent(card.shareSent)} of ${card.tokens} tokens${second.sent === 0 ? '' : `: ${percent(second.kept / second.sent)} kept, ${percent(second.changed / second.sent)} changed, ${percent(second.changedThePick / second.sent)} changed the pick`}`],
    ['Speed', `${card.tokensPerSecond.toFixed(0)} tokens a second`],
  ];
  const label = Math.max(...facts.map(([name]) => name.length));
  return [...facts.map(([name, value]) => `${name.padEnd(label)}  ${value}`), '', ...table].join('\n');
}

function describePolicy(policy: ThinkingPolicy): string {
  switch (policy.kind) {
    case 'decider':
      return policy.threshold === undefined ? 'decider' : `decider at ${policy.threshold}`;
    case 'never':
      return 'never a second pass';
    case 'always':
      return 'always a second pass';
    case 'depths':
      return 'given passes per position';
    case 'oracle':
    case 'self-oracle':
      return policy.kind;
    default:
      return policy satisfies never;
  }
}

function describeSampling(sampling: Scorecard['sampling']): string {
  if (sampling?.temperature === 0) return 'greedy';
  const given = Object.entries(sampling ?? {}).map(([name, value]) => `${name} ${value}`);
  return given.length === 0 ? 'the model’s defaults' : given.join(', ');
}
