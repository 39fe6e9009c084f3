/** A scope verdict in the words of the command line. Decides nothing. */
import type { OutsideReason, ScopeVerdict } from '../protocol/scope.ts';

/** The lines of a notice, none where the question is inside or nobody knows. */
export function scopeLines(scope: ScopeVerdict | null): readonly string[] {
  if (scope?.state !== 'outside') return [];
  return [
    `This is outside of what the model has learned: ${reasonText(scope.reason)}.`,
    `It can do: ${scope.subjects.map(({ title, example }) => `${title} (${example})`).join(', ')}.`,
    'For other questions use a larger model: tah import CHECKPOINT --out DIR, then --model DIR.',
  ];
}

export function reasonText(reason: OutsideReason): string {
  switch (reason.kind) {
    case 'nothing-asked':
      return 'there is no word, number or formula in the question';
    case 'words':
      return `it does not know ${reason.words.slice(0, 6).join(', ')}`;
    case 'signs':
      return `it does not know ${reason.signs.slice(0, 6).join(', ')}`;
    case 'number':
      return reason.number === reason.beside ? `${reason.number} is beyond the numbers that it has learned with` : `${reason.number} is beyond the numbers up to ${reason.largest} that it has learned with "${reason.beside}"`;
    case 'together':
      return 'it knows the parts of the question, but not together';
    case 'too-long':
      return 'the question is longer than any that it has learned';
    case 'refused':
      return 'the model itself says so';
    default:
      return reason satisfies never;
  }
}
