/**
 * The English around a formula: politeness, verbs, "15% of 80", "the sum of 3 and 4", "Convert 3 km to m".
 * Every word must be known; what remains after taking the phrases off has to be a formula (problem.ts sees to that).
 */

import { derivativePhrase, evaluationPhrase } from './functionPhrases.ts';
import { numberOf, product, quotient, sum } from './expression.ts';
import type { Expr } from './expression.ts';
import { normalized } from './lexer.ts';
import { readExpression } from './problemKinds.ts';
import type { Problem } from './problemKinds.ts';
import { Undecided } from './undecided.ts';
import { readQuantities, unitNamed } from './units.ts';
import type { Unit } from './units.ts';

export type Verb = 'solve' | 'simplify' | 'expand' | 'factor' | 'compute' | 'roots';

const ONES = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ');
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const BEFORE = /^(?:\s+|pls\b|please\b|hi\b|hello\b|hey\b|q:|question:|exercise:|problem:|help:|ok so\b|um\b|\d{1,2}\)\s|[a-d]\)\s|,)/i;
const AFTER = /(?:\s+|,|\bpls|\bplease|\bthanks|\bthank you|\bthx|\bquickly|\bstep by step|\(show steps\)|\bshow your work|\bshow the steps|\bexplain|(?<!\d)[.]|(?<=\d)\.(?!\d)|\?[?!]*|(?<![\d)}][\s!]*)!{2,}|(?<![\p{L}\d)}][\s!]*)!)$/u;

/** One spelling: no dollars, words of three letters or more in small letters, politeness gone. */
export function cleaned(text: string): string {
  let plain = text
    .replace(/\\begin\{(?:cases|aligned|align\*?)\}([\s\S]*?)\\end\{(?:cases|aligned|align\*?)\}/gi, (_all, inside: string) => inside.replace(/&/g, ' ').replace(/\\\\/g, ', '))
    .replace(/\\\$/g, '').replace(/\$+|\\[()[\]](?!\{)/g, ' ')
    .replace(/(?<![\\a-zA-Z])[a-zA-Z]{3,}/g, (word) => word.toLowerCase())
    .replace(/[ \t]+/g, ' ')
    .trim();
  plain = plain.replace(new RegExp(`\\b(?:(${TENS.join('|')})(?:[- ](${ONES.slice(1, 10).join('|')}))?|(${ONES.join('|')}))\\b`, 'g'), (all, tens?: string, ones?: string, one?: string) => {
    if (one !== undefined) return String(ONES.indexOf(one));
    return tens === undefined ? all : String(20 + 10 * TENS.indexOf(tens) + (ones === undefined ? 0 : ONES.indexOf(ones)));
  });
  for (let before = ''; before !== plain; ) {
    before = plain;
    plain = plain.replace(BEFORE, '').replace(/^(?:can|could) you (?:please )?|^how (?:do|can) i /i, '').replace(AFTER, '');
  }
  return plain;
}

const VERBS: readonly (readonly [RegExp, Verb | null])[] = [
  [/^(?:expand and simplify|expand the brackets|expand brackets|expand|multiply out|remove the brackets)\b:?/, 'expand'],
  [/^(?:factorise|factorize|factor)\b(?: completely)?:?/, 'factor'],
  [/^(?:simplify|reduce|cancel)\b(?: the (?:root|fraction|expression))?:?/, 'simplify'],
  [/^(?:find (?:the|all) )?(?:roots|solutions|zeros) of\b:?/, 'roots'],
  [/^(?:solve the (?:quadratic |linear )?equation|solve the system(?: of equations)?|system of equations|equation|solve)\b:?/, 'solve'],
  [/^(?:what is|what's|whats|what does|how much is|calculate|compute|work out|evaluate|find|determine|tell me|i need the value of|the value of|the result of|result of)\b:?/i, null],
];

/** Takes verbs and the names of the unknowns off: what is left should be a formula. */
export function stripped(plain: string): { readonly text: string; readonly verb: Verb | null; readonly wanted: readonly string[] | null; readonly remainder: boolean } {
  let text = plain;
  let verb: Verb | null = null;
  let wanted: readonly string[] | null = null;
  let remainder = false;
  const names = String.raw`([a-zA-Z](?:\s*(?:,|and)\s*[a-zA-Z])*)`;
  const asked: readonly (readonly [RegExp, number, number])[] = [
    [new RegExp(String.raw`^(?:solve for|find|determine|which|work out|find the value of|what is|calculate|compute) ${names}\s*(?::|\bif\b|\bwhen\b|\bin\b|\bsatisf(?:y|ies)\b)\s*(.+)$`, 'is'), 1, 2],
    [new RegExp(String.raw`^if (.+?)\s*,?\s*(?:what is|find|determine|then what is) ${names}$`, 'is'), 2, 1],
    [new RegExp(String.raw`^(.+?)\s*[,;]?\s+(?:find|determine|what is) ${names}$`, 's'), 2, 1],
    [new RegExp(String.raw`^(.+?) for ${names}$`, 's'), 2, 1],
    [new RegExp(String.raw`^(.+=.+?)\s*[,; ]\s*${names}\s*=\s*\??$`, 's'), 2, 1],
  ];
  for (const [pattern, namesAt, textAt] of asked) {
    const match = pattern.exec(text);
    if (match === null) continue;
    wanted = (match[namesAt] ?? '').split(/\s*(?:,|and)\s*/);
    text = match[textAt] ?? '';
    verb = 'solve';
    break;
  }
  for (let before = ''; before !== text; ) {
    before = text;
    for (const [pattern, named] of VERBS) {
      if (!pattern.test(text)) continue;
      text = text.replace(pattern, '').trim();
      verb = named ?? verb;
    }
    text = text.replace(/\s*(?:=\s*\?*|\bequals?)\s*$/, '').replace(/\s+(?:to lowest terms|in lowest terms|in (?:its )?simplest form)$/, () => ((verb = 'simplify'), '')).trim();
    text = text.replace(/\s*,?\s*(?:\(with remainder\)|with remainder|quotient and remainder)$/, () => ((remainder = true), ''));
    text = text.replace(/^write\s+(?=.*)/, '').replace(/\s+without brackets$/, () => ((verb = 'expand'), ''));
  }
  return { text: withSigns(text), verb, wanted, remainder };
}

/** Words for signs as signs, and x as a times sign where it can be nothing else. */
function withSigns(text: string): string {
  const plain = text
    .replace(/(?<!\\)\bplus\b/g, '+').replace(/(?<!\\)\bminus\b/g, '-').replace(/(?<!\\)\b(?:times|multiplied by)\b/g, '*').replace(/(?<!\\)\b(?:divided by|over)\b/g, '÷').replace(/(?<=\d)x(?=\\?sqrt|√)/g, '*')
    .replace(/\b(?:the )?square root of (\d+)/g, '\\sqrt{$1}').replace(/\b(?:the )?cube root of (\d+)/g, '\\sqrt[3]{$1}')
    .replace(/(\d+) squared\b/g, '$1^2').replace(/(\d+) cubed\b/g, '$1^3').replace(/(\d+) to the power (?:of )?(\d+)/g, '$1^{$2}');
  const signs = [...plain.matchAll(/(?<![a-zA-Z\\])[xX](?![a-zA-Z])/g)];
  const sides = signs.map(({ index }) => [plain.slice(0, index), plain.slice(index + 1)] as const);
  // 3x(4 + 5) alone may be three times x; with 2x5 in it, or with spaces, it is not.
  const certain = sides.every(([left, right]) => /[\d)]\s+$/.test(left) && /^\s/.test(right)) || sides.some(([left, right]) => /\d\s*$/.test(left) && /^\s*\d/.test(right));
  const possible = sides.every(([left, right]) => /[\d)]\s*$/.test(left) && /^\s*[\d(]/.test(right));
  if (signs.length === 0 || plain.includes('=') || !possible) return plain;
  if (!certain) throw new Undecided('letter-or-times');
  return plain.replace(/(?<![a-zA-Z\\])[xX](?![a-zA-Z])/g, '*');
}

type Reader = (parts: readonly string[]) => Problem | null;
const N = String.raw`(-?\d[\d.,]*)`;
const PERCENT = String.raw`(\d[\d.]*)\s*(?:\\?%|percent\b)`;

/** A number as people write it in a sentence. */
function number(text: string | undefined): Expr {
  return readExpression((text ?? '').replace(/[.,]$/, ''));
}
function compute(expr: Expr, more: Partial<Extract<Problem, { kind: 'compute' }>> = {}): Problem {
  return { kind: 'compute', expr, lowest: false, percent: false, remainder: 'no', ...more };
}
function part(percent: string | undefined): Expr {
  return { kind: 'percent', of: number(percent) };
}
const share: Reader = ([, a, b]) => compute(quotient(number(a), number(b)), { percent: true });
const shareOf: Reader = ([all, whole, of]) => share([all ?? '', of ?? '', whole ?? '']);
const more: Reader = ([, whole, percent]) => compute(product([number(whole), sum([numberOf(1), part(percent)])]));
const less: Reader = ([, whole, percent]) => compute(product([number(whole), sum([numberOf(1), { kind: 'negative', of: part(percent) }])]));
const division = (remainder: 'asked' | 'allowed'): Reader => ([, a, b]) => compute(quotient(number(a), number(b)), { remainder });
const ASK = String.raw`(?:(?:what is|what's|whats|calculate|compute|find|determine|work out|how much is) )?(?:the )?`;

const SENTENCES: readonly (readonly [string, Reader])[] = [
  [`what percent of ${N} is ${N}`, shareOf], [`how many percent of ${N} is ${N}`, shareOf], [`${N} is what percent of ${N}`, share], [`${N} out of ${N} as a percentage`, share],
  [`what percentage is ${N} of ${N}`, share], [`what percentage of ${N} is ${N}`, shareOf], [`${N} of ${N} in percent`, share], [`write ${N}/${N} as a percentage`, share],
  [`${ASK}${PERCENT} of ${N}(?: =| = \\?|=)?`, ([, p, w]) => compute(product([part(p), number(w)]))],
  [`increase ${N} by ${PERCENT}`, more], [`${ASK}${N} (?:plus|increased by) ${PERCENT}`, more], [`a price of ${N} rises by ${PERCENT}\\. what is the new price`, more],
  [`(?:decrease|reduce) ${N} by ${PERCENT}`, less], [`${ASK}${N} (?:minus|decreased by|reduced by) ${PERCENT}`, less], [`a price of ${N} falls by ${PERCENT}\\. what is the new price`, less],
  [`${N} with an? ${PERCENT} discount`, less], [`what does an item of ${N} cost after a discount of ${PERCENT}`, less],
  [`${ASK}quotient and remainder of ${N} and ${N}`, division('asked')], [`divide ${N} by ${N}, give quotient and remainder`, division('asked')],
  [`${ASK}(?:divide )?${N} ?(?:divided by|by|/|÷|:|\\\\div) ?${N} ?,? ?(?:\\(?with remainder\\)?|quotient and remainder)`, division('asked')],
  [`divide ${N} by ${N}`, division('allowed')], [`${ASK}${N} divided by ${N}`, division('allowed')], [`how many times does ${N} go into ${N}`, ([all, a, b]) => division('allowed')([all ?? '', b ?? '', a ?? ''])],
  [`${ASK}sum of ${N}(?:, ${N})?,? and ${N}`, (found) => sumOf(found)], [`add ${N}(?:, ${N})?,? and ${N}`, (found) => sumOf(found)], [`${ASK}total of ${N}(?:, ${N})?,? and ${N}`, (found) => sumOf(found)],
  [`${ASK}difference (?:of|between) ${N} and ${N}`, ([, a, b]) => difference(a, b)], [`subtract ${N} from ${N}`, ([, a, b]) => difference(b, a)], [`take ${N} away from ${N}`, ([, a, b]) => difference(b, a)],
  [`how much is ${N} less ${N}`, ([, a, b]) => difference(a, b)],
  [`${ASK}product of ${N} and ${N}`, ([, a, b]) => compute(product([number(a), number(b)]))], [`multiply ${N} (?:by|and) ${N}`, ([, a, b]) => compute(product([number(a), number(b)]))],
];
const COMPILED = SENTENCES.map(([pattern, reader]) => [new RegExp(`^${pattern}$`, 'i'), reader] as const);

function sumOf(found: readonly (string | undefined)[]): Problem {
  return compute(sum(found.slice(1).filter((term) => term !== undefined).map(number)));
}
function difference(a: string | undefined, b: string | undefined): Problem {
  return compute(sum([number(a), { kind: 'negative', of: number(b) }]));
}

/** The sentences that say more than a formula; null where none fits. */
export function readPhrase(plain: string): Problem | null {
  const oneLine = normalized(plain).replace(/\s+/g, ' ').trim();
  const converted = conversion(oneLine);
  if (converted !== null) return converted;
  for (const [pattern, reader] of COMPILED) {
    const match = pattern.exec(oneLine);
    if (match !== null) return reader(match);
  }
  return divisors(oneLine) ?? evaluationPhrase(oneLine) ?? derivativePhrase(oneLine);
}

const GCD = 'gcd|gcf|hcf|greatest common divisor|greatest common factor|highest common factor';
const LCM = 'lcm|least common multiple|lowest common multiple|smallest common multiple';
const DIVISORS = new RegExp(`^(?:what is |what's |whats |find |calculate |compute |determine |work out |evaluate )?(?:the )?\\\\?(?:(?:operatorname|text|mathrm)\\{)?(${GCD}|${LCM})\\}?(?: of)? ?\\(? ?(\\d+(?:(?: ?, ?and | and | ?, ?)\\d+)+) ?\\)?(?: ?= ?\\??)?$`, 'i');

/** gcd and lcm of numbers, in words or as a function. */
export function divisors(text: string): Problem | null {
  const match = DIVISORS.exec(text);
  if (match === null) return null;
  const name = new RegExp(`^(?:${GCD})$`, 'i').test(match[1] ?? '') ? 'gcd' : 'lcm';
  return compute({ kind: 'call', name, args: (match[2] ?? '').split(/\D+/).map(number) });
}

function conversion(text: string): Problem | null {
  const forms: readonly (readonly [RegExp, number, number])[] = [
    [/^(?:convert|express|change|write|what is|what's|whats) (.+?) (?:to|into|in|as) ([\p{L} ]+?)$/u, 1, 2],
    [/^how many ([\p{L} ]+?) (?:are|is) (.+)$/u, 2, 1],
    [/^(.+?) ?= ?(?:\?|\.\.\.) ?(\p{L}+)$/u, 1, 2],
    [/^(.+?) (?:to|in|into) ([\p{L} ]+?)$/u, 1, 2],
  ];
  for (const [pattern, from, to] of forms) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const quantities = readQuantities(match[from] ?? '');
    const units = (match[to] ?? '').split(' and ').map((name) => unitNamed(name));
    if (quantities !== null && !units.includes(null)) return conversionOf(quantities, units.filter((unit) => unit !== null));
  }
  return null;
}
function conversionOf(from: Extract<Problem, { kind: 'convert' }>['from'], to: readonly Unit[]): Problem {
  if ([...from, ...to].some((one) => ('unit' in one ? one.unit : one).dimension !== from[0]?.unit.dimension)) throw new Undecided('dimensions-differ');
  return { kind: 'convert', from, to };
}
