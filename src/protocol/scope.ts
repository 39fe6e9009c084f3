/**
 * Is a question within what a model has learned? The verdict as data, for hosts, run files and views.
 * Only a model that declares its subjects (`subjects.json` in its folder) ever gets one. Knows no rule and no model.
 */

/** Beside the weights, in a checkpoint and in a model folder. */
export const SUBJECTS_FILE = 'subjects.json';

/** What a model has learned: a title, an example, and the numbers that it was trained on. */
export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly example: string;
  readonly range: string;
}

/** Why a question is outside. Everything here is a piece of the question itself, but for `largest`. */
export type OutsideReason =
  /** No word, number or formula. */
  | { readonly kind: 'nothing-asked' }
  /** Words that no question of the subjects has. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Signs or LaTeX commands likewise. */
  | { readonly kind: 'signs'; readonly signs: readonly string[] }
  /** A number beyond `largest`, the largest in questions with `beside`. */
  | { readonly kind: 'number'; readonly number: string; readonly beside: string; readonly largest: number }
  /** Every piece is known, but never together: `pair` for example. */
  | { readonly kind: 'together'; readonly pair: readonly [string, string] }
  | { readonly kind: 'too-long' }
  /** The model itself said that it hasn't learned this. */
  | { readonly kind: 'refused' };

export type ScopeVerdict =
  | { readonly state: 'inside' }
  | { readonly state: 'outside'; readonly reason: OutsideReason; readonly subjects: readonly Subject[] };
