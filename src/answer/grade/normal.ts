/**
 * A written answer with one spelling for each thing, before a benchmark's grader reads it: units, money, words for
 * signs, sloppy fractions and roots. What is done here decides verdicts, and is meant to be what Math-Verify does
 * (docs/evaluation.md). Knows no value.
 */

/** Units that Math-Verify drops behind a number, a brace or a space, a plural s or es too. */
const UNITS = [
  'kilometer', 'kilometre', 'km', 'meter', 'metre', 'm', 'dm', 'cm', 'mm', 'mile', 'yard', 'feet', 'ft', 'inch', 'inches', 'hectare', 'acre', 'square', 'sq', 'cubic', 'cc', 'unit', 'point',
  'kg', 'gm', 'g', 'lb', 'pound', 'liter', 'litre', 'l', 'gal', 'gallon', 'second', 'sec', 's', 'minute', 'min', 'hour', 'hr', 'h', 'day', 'month', 'year', 'yr', 'am', 'pm', 'noon',
  'mph', 'kmph', 'kmh', 'degree', 'deg', 'ohm', 'cent', 'c', 'rupee', 'rs', 'number', 'digit', 'multiple', 'prime', 'ratio', 'student', 'man', 'men', 'woman', 'women', 'soldier', 'coin', 'apple', 'tile', 'toy',
  'edge', 'way', 'round', 'cube', 'per', 'by', 'more', 'less', 'profit', 'loss', 'gain', 'increase', 'decrease', 't', 'th', 'st', 'rd', 'd', 'o', 'east', 'west',
].sort((a, b) => b.length - a.length);
const UNIT_AT_END = new RegExp(`([\\d}\\s])\\s*(?:${UNITS.join('|')})(?:s|es)?\\s*$`);
const TEXT_AT_END = /\\(?:text|mbox)\{[^\n]*?\}(?:\^\d)?$/;

/** @throws nothing: what is no formula comes back as it is */
export function normalAnswer(text: string): string {
  return withoutSloppiness(withoutUnits(oneSpelling(text)));
}

function oneSpelling(text: string): string {
  const plain = text
    .replace(/[−–]/g, '-')
    .replace(/π/g, '\\pi ')
    .replaceAll('\\left[\\begin{matrix}', '\\begin{bmatrix}').replaceAll('\\end{matrix}\\right]', '\\end{bmatrix}')
    .replace(/\\m?left(?=[{|[(\\])/g, '').replace(/\\m?right(?=[}|\])\\])/g, '')
    .replace(/\\!\s*|\\text\s*\{\s*\}|\\?\$|(?<!\\)["']|\\displaystyle/g, '')
    .replace(/\\math(?:rm|it|bf)/g, '\\text').replace(/\\text(?:normal|bf|it|rm)/g, '\\text')
    .replace(/\\[dtc]frac/g, '\\frac').replace(/\\[dt]binom/g, '\\binom')
    .replace(/\s\./g, ' 0.').replace(/\{\./g, '{0.')
    .replace(/\s*\{\s*,\s*\}/g, ',')
    .replace(/(?<![a-zA-Z])(?:,?\s*(?:and|or))(?![a-zA-Z])|,?\s*\\text\{\s*(?:,?\s*(?:and|or))\s*\}/g, ',')
    .replace(/(?<!\\)\\\s/g, ' ')
    .replace(/\\text\{\s*,\s*\}/g, ',').replace(/,\s*,/g, ',')
    .replace(/infinity/g, '\\infty').replace(/(?<![\\a-z])inf(?!in|t)/g, '\\infty')
    .replace(/,?\\ldots/g, ' ')
    .replace(/\\text\{(?:percentage|percent|pct)\}|\s*\b(?:percentage|percent|pct)\b/g, '\\%')
    .replace(/[\n\t]/g, ' ');
  return plain.includes('matrix') ? plain : plain.replace(/\\\\(?=[a-zA-Z])/g, '\\');
}

/** `5\text{ cm}^2`, `540 m`; nothing is left out where nothing would be left. */
function withoutUnits(text: string): string {
  let plain = text;
  const cut = plain.replace(TEXT_AT_END, '').trim();
  if (cut !== '') plain = cut;
  for (let round = 0; round < 2; round += 1) {
    const shorter = plain.replace(UNIT_AT_END, '$1');
    if (shorter !== '') plain = shorter;
  }
  return plain;
}

/** `\frac12`, `\sqrt3`, `sqrt(2)`, `2^(1/2)`, `.5` as LaTeX has them. */
function withoutSloppiness(text: string): string {
  return text
    .replace(/^\./, '0.')
    .replace(/\^\s?\(([^()]*)\)/g, '^{$1}')
    .replace(/(?<!\\)\bsqrt\s?\(([^()]*)\)/g, '\\sqrt{$1}')
    .replace(/\\frac\s?(\d)\s?(\d+)/g, '\\frac{$1}{$2}')
    .replace(/\\frac\s?(\d)\s?\{/g, '\\frac{$1}{')
    .replace(/(\\frac\s?\{(?:[^{}]|\{[^{}]*\})*\})\s?(\d)/g, '$1{$2}')
    .replace(/\\sqrt\s?(\d)/g, '\\sqrt{$1}')
    .replace(/\\log_\s?(\d)\s?(\d+)/g, '\\log_{$1}{$2}');
}
