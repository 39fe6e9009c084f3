/**
 * Why a check of an answer says what it says, what computer algebra could not do with a formula, why a provider runs a
 * model, and of what an engine process ended: as data, so that each user reads it in their own language. A kind is never renamed: run files have it.
 * Knows the English of every kind; other languages are in l10n/ under that text.
 */

export const REASON_TEXTS = {
  // An equation is checked by putting the solution back
  'sides-equal': '{0}: both sides are equal.',
  'sides-undecided': 'It could not be decided whether {0}.',
  'solves-about': '{0} solves the equation only approximately: {1}.',
  'solves-not': '{0} does not solve it: {1} is {2}, {3} is {4}.',
  'no-value-with': 'With {0} the equation has no value: {1}.',
  'no-unknown': 'The equation has no unknown.',
  'unknowns-unclear': 'It is not clear which letters are the unknowns.',
  'no-equation': 'There is no equation.',
  'too-few-equations': 'One equation does not determine several unknowns.',
  'not-a-value': 'The answer is not a value of {0}.',
  'other-unknown': 'The answer gives {0}, the unknown is {1}.',
  'unknown-left': 'The answer still has {0} in it.',
  'foreign-letter': 'The answer has the letter {0}, which the problem doesn’t have.',
  'not-worked-out': 'The answer is not worked out.',
  'same-solutions-undecided': 'It could not be decided whether two of the solutions are the same.',
  'others-unchecked': 'Whether there are other solutions could not be checked.',
  'every-number-not-only': 'Every number solves the equation, not only {0}.',
  'every-defined-not-only': 'Every number for which it has a value solves the equation, not only {0}.',
  'no-other-real': 'There are no other real solutions.',
  incomplete: 'The answer is not complete: there are {0} solutions.',
  'incomplete-missing': 'The answer is not complete: there are {0} solutions, and {1} is missing.',
  'none-unchecked': 'Whether there is no solution could not be checked.',
  'every-number': 'Every number solves the equation.',
  'no-real-solution': 'The equation has no real solution.',
  'no-solution': 'The equation has no solution.',
  'has-one-solution': 'The equation has 1 real solution.',
  'has-solutions': 'The equation has {0} real solutions.',
  'equal-where-defined': 'Both sides are equal, but not defined for every number.',
  'equal-for-every': 'Both sides are equal for every {0}.',
  'not-equal-for-every': 'The two sides are not equal for every number.',
  'identity-undecided': 'It could not be decided whether both sides are always equal.',
  // A system of equations
  'system-contradicts': 'The equations contradict each other, so there is no solution.',
  'system-has-solution': 'The system has a solution.',
  'system-has-more': 'The system has more solutions than this one.',
  'gives-not': 'The answer does not give {0}.',
  'unknown-letter': 'The answer names a letter that is not in the equations.',
  'unknown-missing': 'The answer is not complete: {0} is missing.',
  'count-of-values': 'The answer has {0} values for {1} unknowns.',
  'values-unassigned': 'The answer does not say which unknown each value belongs to.',
  'two-values': 'The answer gives two values for {0}.',
  // An expression that was to be rewritten or differentiated
  'equal-undecided': 'It could not be decided whether the answer is equal to the expression.',
  'not-equal': 'The answer is not equal to {0}.',
  'not-equal-which-is': 'The answer is not equal to {0}, which is {1}.',
  'is-equal': '{0} is equal to {1}.',
  'not-expanded': 'But it is not fully expanded.',
  'simplest-unchecked': 'Whether it is the simplest form was not checked.',
  'factored-unshown': 'Whether it is fully factored was not shown.',
  'derivative-undecided': 'It could not be decided whether the answer is the derivative.',
  'derivative-is': 'The derivative of {0} is {1}.',
  'derivative-is-not': 'The derivative of {0} is {1}, not {2}.',
  // A value that was to be computed or converted
  'value-is': '{0} = {1}.',
  'value-is-not': '{0} is {1}, not {2}.',
  'percent-is': '{0} is {1}%.',
  'percent-is-not': '{0} is {1}%, not {2}.',
  about: 'about {0}',
  'value-undecided': 'It could not be decided whether {0} is equal to {1}.',
  'value-named': 'The value is right, but the answer gives it to {0}, which was not asked for.',
  'repeats-question': 'The answer repeats the question.',
  'equal-not-worked-out': '{0} is equal to {1}, but it is not worked out.',
  'not-lowest-terms': '{0} is equal to {1}, but not in lowest terms: it is {2}.',
  'share-not-percent': '{0} is the share, but it was asked for in percent.',
  'rounded-value': '{0} is a rounded value; exactly it is {1}.',
  'remainder-asked': 'The value is right, but the remainder was asked for.',
  'no-remainder': 'The answer is a division with remainder, but the problem is not.',
  'remainder-of-whole': 'Only whole numbers can be divided with a remainder.',
  'remainder-too-large': '{0} = {1}, but the remainder must be smaller than {2}.',
  'no-quotient': 'The answer does not give quotient and remainder.',
  'units-differ': 'These units can’t be converted into each other.',
  'not-the-amount': 'The answer is not {0}.',
  'same-amount': 'The answer is the same amount as {0}.',
  'other-units': 'The amount is right, but not in the units that were asked for.',
  'not-in-units': 'The answer is not in {0}.',
  'other-unit': 'The answer is in {0}, it was asked for in {1}.',
  'not-compared': 'The answer could not be compared.',
  // There was no check, or it had no result
  'no-boxed-answer': 'The text has no final answer in a box.',
  'not-a-formula': 'This problem isn’t a formula that can be checked by computer algebra.',
  'unchecked-because': 'The answer could not be checked: {0}.',
  'check-without-result': 'The check gave no result.',
  'check-stopped': 'The check was stopped.',
  'check-out-of-memory': 'The check needed too much memory and was stopped.',
  'check-failed': 'The check failed: {0}',
  'check-exited': 'The check ended without a result (exit code {0}).',
  'check-too-slow': 'The check took longer than {0} seconds and was stopped.',
  // Parts of a sentence, behind a colon or "because": why something could not be decided
  'too-large-numbers': 'the numbers in it are too large to check',
  'too-large': 'it is too large',
  'too-long': 'it is longer than {0} characters',
  'answer-in-unit': 'the answer is in {0}, but the problem has no units',
  'answer-empty': 'the answer is empty',
  'not-one-expression': 'the answer is not one expression',
  'set-by-condition': 'a set given by a condition can’t be compared',
  'comma-in-brackets': 'a comma in brackets can mean a pair or thousands',
  'chain-of-inequalities': 'a chain of inequalities can’t be compared',
  'several-equals-signs': 'it has more than one equals sign',
  'divides-by-zero': 'it divides by zero',
  'zero-to-zero': '0^0 has no value',
  'polynomial-by-zero': 'a polynomial is divided by zero',
  infinity: 'it has an infinity',
  'plus-minus-two': 'it has a ± sign, so it stands for two values',
  'plus-minus': 'it has a ± sign',
  'even-root-of-negative': 'it has an even root of a negative number',
  'root-of-imaginary': 'it has a root of an imaginary number',
  'function-without-argument': 'a function has no argument',
  'root-index': 'the index of a root is not a whole number above 1',
  modulus: 'the modulus is not above zero',
  'whole-numbers-needed': 'it needs whole numbers',
  'factorial-of': 'a factorial needs a whole number from 0 on',
  'binomial-of': 'a binomial coefficient needs whole numbers from 0 on',
  'derivative-unknown': 'its derivative is not known here',
  'not-a-word': '“{0}” is not a formula',
  'unknown-sign': '“{0}” is not known in a formula',
  'no-formula': 'there is no formula',
  unexpected: '“{0}” was not expected there',
  'sign-missing': 'a “{0}” is missing',
  'nested-too-deeply': 'it is nested too deeply',
  'two-signs': 'two signs follow each other',
  'division-before-product': 'a division before a product without a sign can be read in two ways; brackets would make it clear',
  'two-divisions': 'two divisions after each other can be read in two ways; brackets would make it clear',
  'number-without-sign': '“{0}” follows without a sign',
  'number-before-fraction': 'a number before a fraction can be read in two ways here',
  'two-exclamation-marks': '“!!” can be read in two ways',
  'exclamation-mark': 'the “!” can be read in two ways',
  'bracket-missing': 'a bracket is missing',
  'ends-too-early': 'it ends too early',
  'bars-unclear': 'the bars of the absolute values are not clear',
  'index-missing': 'the index of a letter is missing',
  'radicand-unclear': 'what stands under the root is not clear',
  'fraction-unclear': 'the arguments of a fraction are not clear',
  'negative-power': 'a negative power of a function can be read in two ways',
  'number-of-arguments': '“{0}” has a wrong number of arguments',
  'needs-brackets': '“{0}” needs brackets',
  'calculates-with-units': 'it calculates with units',
  'number-after-letter': 'a number follows a letter without a sign',
  'percentage-of-what': 'it isn’t said of what the percentage is taken',
  'degrees-or-not': 'it isn’t said whether the angle is in degrees',
  'letter-or-times': 'the x can be a letter or a times sign',
  'dimensions-differ': 'these units measure different things',
  'times-of-day': 'these may be times of day',
  'equation-is-solved': 'an equation is to be solved',
  'equation-missing': 'there is no equation',
  'division-missing': 'there is no division',
  'letter-without-value': 'the value of a letter is not given',
  'not-one-equation': 'it is not one equation',
  'not-a-system': 'it is not a system of equations',
  'unknown-part': 'it has a part that is not known',
  'two-readings': 'it can be read in two ways, or has no value',
  'no-confirmed-value': 'no value of it could be confirmed',
  'no-confirmed-solution': 'no solution of it could be confirmed',
  'only-linear-systems': 'only linear systems are solved here',
  'several-solutions': 'it has more than one solution',
  'not-readable': 'it is not readable',
  // Parts: why a provider runs a model, or does not
  'provider-chosen': 'chosen by the setting',
  'provider-cpu-chosen': 'the CPU was chosen by the setting',
  'provider-holds': 'chosen by the setting; its self-test holds, {0}',
  'provider-not-by-itself': 'not tried on its own: choose it by the setting',
  'provider-none-tested': 'no provider is tested here',
  'provider-none-as-fast': 'no other provider is as fast here',
  'provider-none-works': 'no other provider works here',
  'provider-fastest': 'the fastest that computes right: {0}',
  'provider-slower': 'right, but slower: {0}',
  'provider-too-slow': 'too slow: {0} tokens in {1} s, where the CPU makes {2}',
  'provider-hung': 'failed its self-test: it gave no answer within {0} s',
  'provider-failed': 'failed its self-test: {0}',
  'provider-unavailable': 'not available here: {0}',
  'tokens-a-second': '{0} tokens/s',
  'endpoint-computes': 'the endpoint {0} at {1} computes',
  'endpoint-computes-there': 'the endpoint {0} at {1} computes, there on {2}: {3}',
  // Parts: of what an engine process ended, and what it ran on
  'process-exited': 'exit code {0}',
  'process-signal': 'signal {0}',
  'process-said-last': '{0}; it said last: {1}',
  'process-cannot-start': 'it can\'t be started: {0}',
  'process-silent': 'it didn\'t answer within {0}',
  'process-stopped': 'it was stopped',
  'process-hung': 'it didn\'t stop a cancelled request within {0} s',
  'process-old-node': 'it is Node {0}; the engine needs Node {1} or newer',
  'runtime-configured': 'the configured Node ({0})',
  'runtime-electron': 'VS Code\'s own runtime ({0})',
  'runtime-node': 'the Node that runs the extension ({0})',
  'runtime-path': 'the Node on PATH ({0})',
  'runtime-fetched': 'the Node that was fetched for it ({0})',
} as const satisfies Record<string, string>;

export type ReasonKind = keyof typeof REASON_TEXTS;

/** A piece of mathematics or a name, or a reason as a part of this one. */
export type ReasonPart = string | Reason;

/** A sentence, or a part of one. `args` fill the holes of its text; there are none where it has none. */
export interface Reason {
  readonly kind: ReasonKind;
  readonly args?: readonly ReasonPart[];
}

/** Puts a text into a language and fills its holes: `l10n.t` of VS Code or of the webview. */
export type Translate = (text: string, ...values: string[]) => string;

/** Characters of a piece of mathematics, and of all sentences together. */
const LONGEST = 400;
/** Sentences of one check: an answer may give any number of solutions. */
const MOST = 40;

export function isReasonKind(value: string): value is ReasonKind {
  return Object.hasOwn(REASON_TEXTS, value);
}

export function reason(kind: ReasonKind, ...args: readonly ReasonPart[]): Reason {
  return args.length === 0 ? { kind } : { kind, args: args.map((part) => (typeof part === 'string' ? cut(part) : part)) };
}

/** The first and the last of more than a reader would read. */
export function fewReasons(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.length <= MOST ? reasons : [...reasons.slice(0, MOST / 2), ...reasons.slice(-MOST / 2)];
}

export function sayReason({ kind, args = [] }: Reason, translate: Translate = fillHoles): string {
  return translate(REASON_TEXTS[kind], ...args.map((part) => (typeof part === 'string' ? part : sayReason(part, translate))));
}

/** A reason in English, and as data where it is known as such: an earlier version, a server or a system has words alone. */
export interface Told {
  readonly reason: string;
  readonly why?: Reason;
}

/** The English is whole, for the log and Diagnose. */
export function told(kind: ReasonKind, ...args: readonly ReasonPart[]): Required<Told> {
  return { reason: sayReason({ kind, args }), why: reason(kind, ...args) };
}

export function sayTold({ reason: english, why }: Told, translate: Translate): string {
  return why === undefined ? english : sayReason(why, translate);
}

/** Sentence after sentence; cut in the middle where it is longer than a reader would read. */
export function sayReasons(reasons: readonly Reason[], translate: Translate = fillHoles): string {
  return cut(reasons.map((one) => sayReason(one, translate)).join(' '));
}

function fillHoles(text: string, ...values: string[]): string {
  return text.replace(/\{(\d)\}/g, (hole, index: string) => values[Number(index)] ?? hole);
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST / 2)} … ${text.slice(-LONGEST / 2)}`;
}
