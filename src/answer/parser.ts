/**
 * Tokens → expression tree. Knows precedence, implicit products, mixed numbers, LaTeX arguments, functions.
 * What can honestly be read in two ways (1/2x, \sqrt12, 6÷2(1+2)) is refused, never guessed: `Undecided`.
 */

import { negative, numberOf, product, quotient, sum } from './expression.ts';
import type { Expr, FunctionName } from './expression.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';
import { FUNCTIONS, GREEK, INVERSE, OPEN_ARGUMENT, argumentCount, isProductOfLetters } from './names.ts';
import { add, fromDecimal, rational } from './rational.ts';
import { Undecided } from './undecided.ts';

const DEEPEST = 150;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The whole text as one expression. @throws Undecided with the reason, in words that complete "… because" */
export function parseExpression(text: string): Expr {
  const parser = new Parser(tokenize(text));
  return parser.whole();
}

class Parser {
  #at = 0;
  #depth = 0;
  #inBars = 0;

  constructor(private readonly tokens: Token[]) {}

  whole(): Expr {
    if (this.tokens.length === 0) throw new Undecided('no-formula');
    const expr = this.#sum();
    const rest = this.#peek();
    if (rest !== undefined) throw new Undecided('unexpected', textOf(rest));
    return expr;
  }

  #peek(): Token | undefined {
    return this.tokens[this.#at];
  }
  #isSign(...signs: string[]): boolean {
    const token = this.#peek();
    return token?.type === 'sign' && signs.includes(token.text);
  }
  #isCommand(...names: string[]): boolean {
    const token = this.#peek();
    return token?.type === 'command' && names.includes(token.text);
  }
  #follows(sign: string): boolean {
    const next = this.tokens[this.#at + 1];
    return next?.type === 'sign' && next.text === sign;
  }
  #take(sign: string): void {
    if (!this.#isSign(sign)) throw new Undecided('sign-missing', sign);
    this.#at += 1;
  }
  #nested<T>(body: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new Undecided('nested-too-deeply');
    const result = body();
    this.#depth -= 1;
    return result;
  }

  #sum(): Expr {
    return this.#nested(() => {
      const terms = [this.#signed()];
      while (this.#isSign('+', '-') || this.#isCommand('pm', 'mp')) terms.push(this.#signed());
      return sum(terms);
    });
  }

  /** A product with the signs before it. */
  #signed(): Expr {
    if (this.#isSign('+')) {
      this.#at += 1;
      if (this.#isSign('+', '-')) throw new Undecided('two-signs');
      return this.#product();
    }
    if (this.#isSign('-')) {
      this.#at += 1;
      return negative(this.#isSign('-') ? this.#nested(() => this.#signed()) : this.#product());
    }
    if (this.#isCommand('pm', 'mp')) {
      const minusFirst = this.#isCommand('mp');
      this.#at += 1;
      const of = this.#product();
      return { kind: 'plus-minus', of: minusFirst ? negative(of) : of };
    }
    return this.#product();
  }

  #product(): Expr {
    let factors = [this.#factor()];
    /** A plain division was read: an implicit product after it could belong to the denominator. */
    let divided = false;
    for (;;) {
      if (this.#isSign('*') || this.#isCommand('cdot', 'times', 'ast')) {
        this.#at += 1;
        factors.push(this.#operand());
        divided = false;
      } else if (this.#isSign('/', '÷', ':') || this.#isCommand('div')) {
        const slash = this.#isSign('/');
        this.#at += 1;
        const under = slash ? this.#operand() : this.#fractionAfterDivision();
        factors = [quotient(product(factors), under)];
        divided = true;
      } else if (this.#startsImplicit()) {
        if (divided) throw new Undecided('division-before-product');
        factors.push(this.#power());
      } else {
        return product(factors);
      }
    }
  }

  /** After * or /, a sign may stand: 2 * -3. */
  #operand(): Expr {
    if (this.#isSign('-')) {
      this.#at += 1;
      return negative(this.#power());
    }
    if (this.#isSign('+')) this.#at += 1;
    return this.#factor();
  }

  /** 3/4 ÷ 1/2 divides by the fraction 1/2 where the slash has no spaces; with spaces it is left to right or unclear. */
  #fractionAfterDivision(): Expr {
    const under = this.#operand();
    const slash = this.#peek();
    if (slash?.type !== 'sign' || slash.text !== '/') return under;
    const next = this.tokens[this.#at + 1];
    if (under.kind !== 'number' || next?.type !== 'number' || slash.spaced || next.spaced) throw new Undecided('two-divisions');
    this.#at += 1;
    return quotient(under, this.#factor());
  }

  #startsImplicit(): boolean {
    const token = this.#peek();
    if (token === undefined) return false;
    switch (token.type) {
      case 'number':
        throw new Undecided('number-without-sign', token.digits);
      case 'word':
        return token.text !== 'mod';
      case 'command':
        return !['pm', 'mp', 'cdot', 'times', 'ast', 'div', 'in', 'cup', 'le', 'ge', 'ne', 'mod', 'bmod', 'pmod', 'rfloor', 'rceil'].includes(token.text);
      case 'sign':
        return token.text === '(' || token.text === '[' || token.text === '{' || (token.text === '|' && this.#inBars === 0);
      default:
        return token satisfies never;
    }
  }

  #factor(): Expr {
    const first = this.#peek();
    const expr = this.#power();
    if (first?.type === 'number' && expr.kind === 'number') return this.#mixed(first, expr);
    return expr;
  }

  /** 2\frac12 and 2 1/2: a whole number and a proper fraction. */
  #mixed(first: Extract<Token, { type: 'number' }>, whole: Expr): Expr {
    const next = this.#peek();
    const [after, last] = [this.tokens[this.#at + 1], this.tokens[this.#at + 2]];
    if (whole.kind !== 'number' || !/^\d+$/.test(first.digits)) return whole;
    let fraction: Expr | null = null;
    if (next?.type === 'command' && next.text === 'frac') {
      const start = this.#at;
      fraction = this.#power();
      if (fraction.kind !== 'quotient' || fraction.over.kind !== 'number' || fraction.under.kind !== 'number') {
        this.#at = start;
        return whole;
      }
    } else if (next?.type === 'number' && next.spaced && after?.type === 'sign' && after.text === '/' && last?.type === 'number') {
      this.#at += 3;
      fraction = quotient(numberOf(next.value), numberOf(last.value));
    }
    if (fraction?.kind !== 'quotient' || fraction.over.kind !== 'number' || fraction.under.kind !== 'number') return whole;
    const { value: top } = fraction.over;
    const { value: bottom } = fraction.under;
    if (top.d !== 1n || bottom.d !== 1n || top.n >= bottom.n || bottom.n === 0n) throw new Undecided('number-before-fraction');
    return { kind: 'number', value: add(whole.value, rational(top.n, bottom.n)), written: 'mixed' };
  }

  #power(): Expr {
    const base = this.#postfix(this.#primary());
    if (!this.#isSign('^')) return base;
    this.#at += 1;
    const exponent = this.#nested(() => this.#exponent());
    return this.#postfix({ kind: 'power', base, exponent });
  }

  #exponent(): Expr {
    if (this.#isSign('{')) return this.#group();
    if (this.#isSign('-')) {
      this.#at += 1;
      return negative(this.#exponent());
    }
    if (this.#isSign('+')) this.#at += 1;
    const base = this.#primary();
    if (!this.#isSign('^')) return base;
    this.#at += 1;
    return { kind: 'power', base, exponent: this.#nested(() => this.#exponent()) };
  }

  #postfix(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#isSign('!') && this.#follows('!')) throw new Undecided('two-exclamation-marks');
      if (this.#isSign('!')) expr = { kind: 'call', name: 'factorial', args: [expr] };
      else if (this.#isSign('%')) expr = { kind: 'percent', of: expr };
      else if (this.#isSign('°')) expr = { kind: 'call', name: 'degrees', args: [expr] };
      else return expr;
      this.#at += 1;
    }
  }

  #group(): Expr {
    const token = this.#peek();
    const close = token?.type === 'sign' ? CLOSING[token.text] : undefined;
    if (close === undefined) throw new Undecided('bracket-missing');
    this.#at += 1;
    const bars = this.#inBars;
    this.#inBars = 0;
    const expr = this.#sum();
    this.#inBars = bars;
    this.#take(close);
    return expr;
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token === undefined) throw new Undecided('ends-too-early');
    switch (token.type) {
      case 'number':
        this.#at += 1;
        return { kind: 'number', value: token.value, written: token.decimal ? 'decimal' : 'integer' };
      case 'word':
        this.#at += 1;
        return this.#word(token);
      case 'command':
        this.#at += 1;
        return this.#command(token.text);
      case 'sign':
        if (token.text === '|') return this.#bars();
        if (token.text in CLOSING) return this.#group();
        throw new Undecided('unexpected', token.text);
      default:
        return token satisfies never;
    }
  }

  #bars(): Expr {
    if (this.#inBars > 0) throw new Undecided('bars-unclear');
    this.#take('|');
    this.#inBars += 1;
    const expr = this.#sum();
    this.#inBars -= 1;
    this.#take('|');
    return { kind: 'call', name: 'abs', args: [expr] };
  }

  #word(token: Extract<Token, { type: 'word' }>): Expr {
    const run = token.text;
    const lower = run.toLowerCase();
    const name = FUNCTIONS[run] ?? (run.length > 2 ? FUNCTIONS[lower] : undefined);
    if (name !== undefined) return this.#call(name);
    if (lower === 'cbrt') return { kind: 'call', name: 'root', args: [this.#group(), numberOf(3)] };
    if (lower === 'pi') return { kind: 'symbol', name: 'π' };
    if (lower === 'infinity') return { kind: 'symbol', name: '∞' };
    if (GREEK.has(lower)) return this.#symbol(lower);
    if (!isProductOfLetters(run)) throw new Undecided('not-a-word', run);
    const letters = Array.from(run);
    const last = letters.pop() ?? run;
    let tail = this.#symbol(last);
    // x2 is x₂ (or a lost ^), never 2x. xy^2 is x·y²: the power belongs to the last letter only.
    const next = this.#peek();
    if (next?.type === 'number' && !next.spaced) {
      this.#at += 1;
      tail = { kind: 'symbol', name: `${last}_${next.digits}` };
    }
    if (letters.length === 0) return tail;
    if (this.#isSign('^')) {
      this.#at += 1;
      tail = { kind: 'power', base: tail, exponent: this.#nested(() => this.#exponent()) };
    }
    return product([...letters.map((letter): Expr => ({ kind: 'symbol', name: letter })), tail]);
  }

  #symbol(name: string): Expr {
    if (!this.#isSign('_')) return { kind: 'symbol', name };
    this.#at += 1;
    const braced = this.#isSign('{');
    if (braced) this.#at += 1;
    const index = this.#peek();
    if (index === undefined || index.type === 'sign') throw new Undecided('index-missing');
    this.#at += 1;
    if (braced) this.#take('}');
    return { kind: 'symbol', name: `${name}_${textOf(index)}` };
  }

  #command(name: string): Expr {
    if (name === 'frac') return quotient(this.#argument(), this.#argument());
    if (name === 'binom') return { kind: 'call', name: 'binomial', args: [this.#argument(), this.#argument()] };
    if (name === 'sqrt') return this.#root();
    if (name === 'root') return { kind: 'call', name: 'sqrt', args: [this.#postfix(this.#primary())] };
    if (name === 'cuberoot') return { kind: 'call', name: 'root', args: [this.#primary(), numberOf(3)] };
    if (name === 'pi') return { kind: 'symbol', name: 'π' };
    if (name === 'infty') return { kind: 'symbol', name: '∞' };
    if (name === 'lfloor' || name === 'lceil') return this.#rounded(name);
    const called = FUNCTIONS[name];
    if (called !== undefined) return this.#call(called);
    if (GREEK.has(name.toLowerCase())) return this.#symbol(name.toLowerCase());
    throw new Undecided('unknown-sign', `\\${name}`);
  }

  #rounded(open: 'lfloor' | 'lceil'): Expr {
    const of = this.#sum();
    const close = open === 'lfloor' ? 'rfloor' : 'rceil';
    if (!this.#isCommand(close)) throw new Undecided('sign-missing', `\\${close}`);
    this.#at += 1;
    return { kind: 'call', name: open === 'lfloor' ? 'floor' : 'ceil', args: [of] };
  }

  #root(): Expr {
    let index: Expr | null = null;
    if (this.#isSign('[')) index = this.#group();
    const next = this.#peek();
    if (next?.type === 'number' && next.digits.length > 1) throw new Undecided('radicand-unclear');
    const of = this.#isSign('(') ? this.#group() : this.#argument();
    return index === null ? { kind: 'call', name: 'sqrt', args: [of] } : { kind: 'call', name: 'root', args: [of, index] };
  }

  /** What a LaTeX command takes: a group, or one token; of a number only its first digit (\frac12). */
  #argument(): Expr {
    const token = this.#peek();
    if (this.#isSign('{')) return this.#group();
    if (token?.type !== 'number') return this.#primary();
    if (!/^\d+$/.test(token.digits)) throw new Undecided('fraction-unclear');
    const first = token.digits.slice(0, 1);
    const rest = token.digits.slice(1);
    if (rest === '') this.#at += 1;
    else this.tokens[this.#at] = { type: 'number', value: fromDecimal(rest), digits: rest, decimal: false, spaced: false };
    return numberOf(fromDecimal(first));
  }

  #call(start: FunctionName): Expr {
    let name = start;
    let base: Expr | null = null;
    let exponent: Expr | null = null;
    if (name === 'log' && this.#isSign('_')) {
      this.#at += 1;
      base = this.#argument();
      name = 'logBase';
    }
    if (this.#isSign('^')) {
      this.#at += 1;
      exponent = this.#exponent();
      const inverse = INVERSE[name];
      if (exponent.kind === 'negative') {
        if (inverse === undefined || exponent.of.kind !== 'number' || exponent.of.value.n !== 1n) throw new Undecided('negative-power');
        name = inverse;
        exponent = null;
      }
    }
    const args = [...this.#callArguments(name), ...(base === null ? [] : [base])];
    const [least, most] = argumentCount(name);
    if (args.length < least || args.length > most) throw new Undecided('number-of-arguments', name);
    const call: Expr = { kind: 'call', name, args };
    return exponent === null ? call : { kind: 'power', base: call, exponent };
  }

  #callArguments(name: FunctionName): Expr[] {
    const open = this.#peek();
    if (open?.type === 'sign' && (open.text === '(' || open.text === '{')) {
      this.#at += 1;
      const args = [this.#sum()];
      while (this.#isSign(',')) {
        this.#at += 1;
        args.push(this.#sum());
      }
      this.#take(open.text === '(' ? ')' : '}');
      return args;
    }
    if (!OPEN_ARGUMENT.has(name)) throw new Undecided('needs-brackets', name);
    const factors = [this.#power()];
    for (;;) {
      const next = this.#peek();
      const isLetter = (next?.type === 'word' && FUNCTIONS[next.text] === undefined) || (next?.type === 'command' && (next.text === 'pi' || GREEK.has(next.text)));
      if (!isLetter) return [product(factors)];
      factors.push(this.#power());
    }
  }
}

function textOf(token: Token): string {
  return token.type === 'number' ? token.digits : token.text;
}
