/**
 * Is what stands between two single dollar signs mathematics, or are they money, variables of a shell, or an
 * accident? Pandoc's rule first, then what prices and shells look like. Knows one candidate at a time.
 */

const AMOUNT = /^-?\d[\d,]*(?:\.\d+)?(?:\s?(?:[kKM]|bn|million|billion|thousand))?(?![\w^\\])/;
/** Words that a formula may have without a backslash. */
const MATHS_WORDS = new Set(['mod', 'sin', 'cos', 'tan', 'log', 'ln', 'exp', 'lim', 'min', 'max', 'gcd', 'lcm', 'det', 'dim', 'ker', 'sqrt', 'pi', 'dx', 'dy', 'dt', 'cm', 'mm', 'km', 'kg']);
const TEX_SIGN = /[\\^_={}<>|+*]/;

/**
 * @param content between the dollars
 * @param next the character behind the closing dollar, or ''
 */
export function isDollarMath(content: string, next: string): boolean {
  if (content === '' || /^\s|\s$/.test(content) || /\d/.test(next)) return false;
  return !isMoney(content) && !isShell(content, next) && !isProse(content);
}

/** An amount, then plain words or the start of the next amount: `5 and 6`, `10 bill and a 5`, `1.50, (or US`. */
function isMoney(content: string): boolean {
  const amount = AMOUNT.exec(content);
  if (amount === null) return false;
  const rest = content.slice(amount[0].length);
  if (rest === '') return false;
  if (/^[-–/]$/.test(rest)) return true;
  return !TEX_SIGN.test(rest) && hasPlainWord(rest);
}

/** `$HOME/$USER`, `${a}${b}`, `$x$y`-like names run into each other. */
function isShell(content: string, next: string): boolean {
  if (/^\{\w+\}/.test(content) && next === '{') return true;
  return /^[A-Za-z_]\w+[^\w\\^{}()]?$/.test(content) && /[A-Za-z_{]/.test(next);
}

/** Words without any sign of mathematics: `a and b`, `see the manual`. One word alone may be a name: `abc`. */
function isProse(content: string): boolean {
  return !TEX_SIGN.test(content) && /\s/.test(content) && hasPlainWord(content);
}

function hasPlainWord(text: string): boolean {
  return (text.match(/[A-Za-z]{2,}/g) ?? []).some((word) => !MATHS_WORDS.has(word.toLowerCase()));
}

/** In a program text, where a dollar is seldom mathematics, it also has to look like it. */
export function looksLikeTex(content: string): boolean {
  if (/^[|)\]]/.test(content)) return false;
  return /[\\^_=]/.test(content) || /^[\w\s+\-*/()<>.,!']+$/.test(content);
}
