/**
 * What a pickle holds once it has been read: plain values, and what the reader made of persistent ids and calls (`T`).
 * Containers may contain themselves: nobody walks a value to its depths.
 */

export type PickleValue<T> = null | boolean | number | string | PickleList<T> | PickleTuple<T> | PickleDict<T> | PickleGlobal | PickleObject<T>;
export interface PickleList<T> {
  readonly kind: 'list';
  readonly items: PickleValue<T>[];
}
export interface PickleTuple<T> {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue<T>[];
}
export interface PickleDict<T> {
  readonly kind: 'dict';
  readonly entries: Map<string | number, PickleValue<T>>;
  /** True for a collections.OrderedDict, the only thing that BUILD may decorate. */
  readonly ordered: boolean;
}
export interface PickleGlobal {
  readonly kind: 'global';
  /** `module.name` */
  readonly name: string;
}
/** What the caller made of a persistent id or a call. */
export interface PickleObject<T> {
  readonly kind: 'object';
  readonly object: T;
}

export function isKind<T, K extends 'list' | 'tuple' | 'dict' | 'global' | 'object'>(
  value: PickleValue<T> | undefined,
  kind: K,
): value is Extract<PickleValue<T>, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}
