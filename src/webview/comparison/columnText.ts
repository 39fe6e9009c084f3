/** What the head of a column says in words and numbers: policy, state, cost. Pure. */

import type { ColumnHead, ComparedToken, ComparisonRole } from '../../protocol/comparison.ts';
import { l10n } from '../texts.ts';

export function roleText(role: ComparisonRole): string {
  switch (role) {
    case 'never':
      return l10n.t('Never twice');
    case 'decider':
      return l10n.t('Think-at-Hard');
    case 'always':
      return l10n.t('Always twice');
    case 'oracle':
      return l10n.t('Oracle');
    default:
      return role satisfies never;
  }
}

export function roleExplanation({ role, policy, threshold }: Pick<ColumnHead, 'role' | 'policy' | 'threshold'>): string {
  switch (role) {
    case 'never':
      return l10n.t('The plain model: one pass a token');
    case 'decider': {
      const used = policy.kind === 'decider' ? (policy.threshold ?? threshold) : threshold;
      return used === null ? l10n.t('A second pass where the decider finds it hard') : l10n.t('A second pass where the decider\'s score is above {0}', Number(used.toFixed(3)));
    }
    case 'always':
      return l10n.t('A second pass for every token');
    case 'oracle':
      return l10n.t('A second pass exactly where the first one is wrong');
    default:
      return role satisfies never;
  }
}

export function columnStateText({ state, endReason }: Pick<ColumnHead, 'state' | 'endReason'>): string {
  switch (state) {
    case 'planned':
      return l10n.t('Waiting');
    case 'skipped':
      return l10n.t('Not started');
    case 'waiting':
      return l10n.t('Waiting');
    case 'running':
      return l10n.t('Running…');
    case 'done':
      return endReason === 'max-tokens' ? l10n.t('Cut off: token limit of the settings reached') : endReason === 'context-limit' ? l10n.t('Cut off: the model\'s context is full') : l10n.t('Done');
    case 'stopped':
      return l10n.t('Stopped');
    case 'failed':
      return l10n.t('Failed');
    default:
      return state satisfies never;
  }
}

export interface Cost {
  /** N tokens had N first passes and |S| more: N + |S|. */
  readonly tokens: number;
  readonly passes: number;
}

export function costOf(tokens: readonly Pick<ComparedToken, 'iterCount'>[]): Cost {
  return { tokens: tokens.length, passes: tokens.reduce((sum, token) => sum + token.iterCount, 0) };
}

const none = '–';

export function perTokenText({ tokens, passes }: Cost): string {
  return tokens === 0 ? none : (passes / tokens).toFixed(2);
}

/** `212 + 14 = 226`: first passes and later ones. */
export function sumText({ tokens, passes }: Cost): string {
  return tokens === 0 ? none : `${tokens} + ${passes - tokens} = ${passes}`;
}

/** Against N, never twice, and 2N, always twice, for as many tokens. */
export function againstText({ tokens, passes }: Cost): string {
  return tokens === 0 ? none : `${(passes / tokens).toFixed(2)} × N, ${(passes / (2 * tokens)).toFixed(2)} × 2N`;
}

export function timeText({ stats }: Pick<ColumnHead, 'stats'>): string {
  return stats === null ? none : l10n.t('{0} s', ((stats.prefillMs + stats.decodeMs) / 1000).toFixed(2));
}

const PREFIXES = [['P', 1e15], ['T', 1e12], ['G', 1e9], ['M', 1e6], ['k', 1e3]] as const;

export function flopsText(flops: number): string {
  const [prefix, size] = PREFIXES.find(([, least]) => flops >= least) ?? ['', 1];
  return `${(flops / size).toPrecision(3)} ${prefix}FLOP`;
}

/** Of a given text: how many tokens were the model's first choice. */
export function expectedText(tokens: readonly Pick<ComparedToken, 'right'>[]): string {
  const right = tokens.filter((token) => token.right === true).length;
  return tokens.length === 0 ? none : l10n.t('{0} of {1} ({2} %)', right, tokens.length, ((100 * right) / tokens.length).toFixed(1));
}

export function surpriseText(tokens: readonly Pick<ComparedToken, 'logprob'>[]): string {
  const known = tokens.flatMap(({ logprob }) => (logprob === null || !Number.isFinite(logprob) ? [] : [logprob]));
  return known.length === 0 ? none : l10n.t('{0} nats', (-known.reduce((a, b) => a + b, 0) / known.length).toFixed(3));
}
