/**
 * Values of an answer: sums, products, powers, functions. Knows no lists and relations (read.ts). A whole number and a
 * fraction side by side are a mixed number, ° is left out, log is to base 10, i is a letter: as Math-Verify reads them.
 */

import { negative, numberOf, product, quotient, sum, type Expr, type FunctionName } from '../expression.ts';
import { fromDecimal, add, negate, divide, type Rational } from '../rational.ts';
import { Unread } from './unread.ts';
import { EULER, INFINITY, PI, letter } from './form.ts';
import type { Token } from './tokens.ts';

const DEEPEST = 100;
const FUNCTIONS: Readonly<Record<string, FunctionName>> = {
  sin: 'sin', cos: 'cos', tan: 'tan', cot: 'cot', sec: 'sec', csc: 'csc', arcsin: 'asin', arccos: 'acos', arctan: 'atan', sinh: 'sinh', cosh: 'cosh', tanh: 'tanh', ln: 'ln', log: 'log', lg: 'log', exp: 'exp',
};
const INVERSE: Readonly<Partial<Record<FunctionName, FunctionName>>> = { sin: 'asin', cos: 'acos', tan: 'atan' };
const GREEK = new Set('alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega angle triangle imath ell hbar'.split(' '));
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export class Values {
  private at = 0;
  private depth = 0;
  private bars = 0;

  constructor(
    private readonly tokens: readonly Token[],
    /** Letters of an answer with complex numbers are marked. */
    private readonly complex: boolean,
  ) {}

  protected peek(): Token | undefined {
    return this.tokens[this.at];
  }
  protected skip(): void {
    this.at += 1;
  }
  protected mark(): number {
    return this.at;
  }
  protected back(mark: number): void {
    this.at = mark;
  }
  protected takes(text: string): boolean {
    const token = this.peek();
    if (token?.type !== 'sign' || token.text !== text) return false;
    this.at += 1;
    return true;
  }
  protected takesCommand(...names: string[]): boolean {
    const token = this.peek();
    if (token?.type !== 'command' || !names.includes(token.text)) return false;
    this.at += 1;
    return true;
  }
  private need(text: string): void {
    if (!this.takes(text)) throw new Unread(`a ${text} is missing`);
  }

  protected sum(): Expr {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new Unread('it is nested too deeply');
    const terms = [this.term()];
    for (;;) {
      if (this.takes('+')) terms.push(this.term());
      else if (this.takes('-')) terms.push(negative(this.term()));
      else break;
    }
    this.depth -= 1;
    return sum(terms);
  }

  private term(): Expr {
    let left = this.unary();
    for (;;) {
      if (this.takes('*') || this.takesCommand('times', 'cdot')) left = product([left, this.unary()]);
      else if (this.takes('/') || this.takes(':') || this.takesCommand('div')) left = quotient(left, this.unary());
      else return left;
    }
  }

  private unary(): Expr {
    if (this.takes('+')) return this.unary();
    if (this.takes('-')) return negative(this.unary());
    return this.neighbours(false);
  }

  /** Factors side by side. Without functions in the argument of one: sin x cos x is a product. */
  private neighbours(insideFunction: boolean): Expr {
    const factors = [this.postfix()];
    while (this.startsFactor(insideFunction)) factors.push(this.postfix());
    return factors.reduceRight((right, left) => mixed(left, right) ?? product([left, ...(right.kind === 'product' ? right.factors : [right])]));
  }

  private startsFactor(insideFunction: boolean): boolean {
    const token = this.peek();
    if (token === undefined) return false;
    if (token.type === 'sign') return token.text === '(' || token.text === '{' || token.text === '[' || (token.text === '|' && this.bars === 0);
    if (token.type !== 'command') return true;
    if (insideFunction && token.text in FUNCTIONS) return false;
    return token.text in FUNCTIONS || GREEK.has(token.text) || ['pi', 'infty', 'frac', 'sqrt', 'binom', 'lfloor', 'lceil', 'lvert', 'operatorname'].includes(token.text);
  }

  private postfix(): Expr {
    let base = this.power();
    for (;;) {
      if (this.takes('!')) base = { kind: 'call', name: 'factorial', args: [base] };
      else if (this.takesCommand('%') || this.takes('%')) base = { kind: 'percent', of: base };
      else return base;
    }
  }

  private power(): Expr {
    let base = this.atom();
    for (;;) {
      if (this.takes('_')) {
        // The base of a numeral is not looked at; a letter with an index is another letter.
        const index = this.indexText();
        if (base.kind === 'symbol' && base.name.startsWith('_')) base = { kind: 'symbol', name: `${base.name}_${index}` };
      } else if (this.takes('^')) {
        if (this.takesCommand('circ') || this.takesBracedCircle()) continue;
        base = { kind: 'power', base, exponent: this.argument() };
      } else return base;
    }
  }

  private takesBracedCircle(): boolean {
    const start = this.mark();
    if (this.takes('{') && this.takesCommand('circ') && this.takes('}')) return true;
    this.back(start);
    return false;
  }

  private indexText(): string {
    const start = this.mark();
    if (!this.takes('{')) {
      this.skip();
      return this.tokens[start]?.text ?? '';
    }
    while (this.peek() !== undefined && !this.takes('}')) this.skip();
    return this.tokens.slice(start + 1, this.mark() - 1).map(({ text }) => text).join('');
  }

  /** What stands behind ^, \frac, \sqrt: a group, or one token. */
  private argument(): Expr {
    if (this.takes('{')) {
      const inside = this.sum();
      this.need('}');
      return inside;
    }
    if (this.takes('-')) return negative(this.argument());
    return this.atom();
  }

  private atom(): Expr {
    const token = this.peek();
    if (token === undefined) throw new Unread('it ends too early');
    this.skip();
    switch (token.type) {
      case 'number':
        return literal(token.text);
      case 'letter':
        return this.letterOrFunction(token.text);
      case 'text':
        if (token.text === '') throw new Unread('a text is empty');
        return /^-?\d+(?:\.\d+)?$/.test(token.text) ? (token.text.startsWith('-') ? negative(literal(token.text.slice(1))) : literal(token.text)) : this.marked(letter(token.text));
      case 'sign':
        return this.grouped(token.text);
      case 'command':
        return this.command(token.text);
      default:
        return token satisfies never;
    }
  }

  private letterOrFunction(name: string): Expr {
    if (name === 'e') return EULER;
    const next = this.peek();
    if (!'fgh'.includes(name) || next?.type !== 'sign' || next.text !== '(') return this.marked(letter(name));
    const start = this.mark();
    while (this.peek() !== undefined && !this.takes(')')) this.skip();
    return this.marked(letter(`${name}${this.tokens.slice(start, this.mark()).map(({ text }) => text).join('')}`));
  }

  private marked(expr: Expr): Expr {
    return this.complex && expr.kind === 'symbol' ? { ...expr, name: `${expr.name}*` } : expr;
  }

  private grouped(open: string): Expr {
    if (open === '|') return this.absolute(() => this.takes('|'));
    const close = CLOSING[open];
    if (close === undefined) throw new Unread(`“${open}” was not expected`);
    const bars = this.bars;
    this.bars = 0;
    const left = this.sum();
    this.bars = bars;
    if (this.takesCommand('choose')) {
      const right = this.sum();
      this.need(close);
      return binomial(left, right);
    }
    this.need(close);
    return left;
  }

  private absolute(closes: () => boolean): Expr {
    this.bars += 1;
    const inside = this.sum();
    this.bars -= 1;
    if (!closes()) throw new Unread('a bar is missing');
    return { kind: 'call', name: 'abs', args: [inside] };
  }

  private command(name: string): Expr {
    const called = FUNCTIONS[name];
    if (called !== undefined) return this.call(called);
    if (GREEK.has(name)) return this.marked(letter(name));
    switch (name) {
      case 'pi':
        return PI;
      case 'infty':
        return INFINITY;
      case 'frac':
        return quotient(this.argument(), this.argument());
      case 'binom':
        return binomial(this.argument(), this.argument());
      case 'sqrt':
        return this.root();
      case 'lvert':
        return this.absolute(() => this.takesCommand('rvert'));
      case 'lfloor':
      case 'lceil': {
        const inside = this.sum();
        if (!this.takesCommand(name === 'lfloor' ? 'rfloor' : 'rceil')) throw new Unread('a bracket is missing');
        return { kind: 'call', name: name === 'lfloor' ? 'floor' : 'ceil', args: [inside] };
      }
      default:
        throw new Unread(`\\${name} is not known in an answer`);
    }
  }

  private root(): Expr {
    if (!this.takes('[')) return { kind: 'call', name: 'sqrt', args: [this.argument()] };
    const index = this.sum();
    this.need(']');
    return { kind: 'call', name: 'root', args: [this.argument(), index] };
  }

  private call(name: FunctionName): Expr {
    const base = name === 'log' ? this.logBase() : null;
    const exponent = this.takes('^') ? this.argument() : null;
    const argument = this.functionArgument();
    const inverse = exponent?.kind === 'negative' && exponent.of.kind === 'number' && exponent.of.value.n === 1n ? INVERSE[name] : undefined;
    if (inverse !== undefined) return { kind: 'call', name: inverse, args: [argument] };
    const result: Expr = name === 'exp' ? { kind: 'power', base: EULER, exponent: argument } : { kind: 'call', name: base === null ? name : 'logBase', args: base === null ? [argument] : [argument, base] };
    return exponent === null ? result : { kind: 'power', base: result, exponent };
  }

  private logBase(): Expr {
    if (!this.takes('_')) return numberOf(10);
    const base = this.argument();
    // Math-Verify has a letter here, not the constant.
    return base === EULER ? this.marked(letter('e')) : base;
  }

  /** A bracket, or all factors up to the next function. */
  private functionArgument(): Expr {
    const token = this.peek();
    if (token?.type === 'sign' && (token.text === '(' || token.text === '{')) return this.postfix();
    if (this.takes('-')) return negative(this.neighbours(true));
    return this.neighbours(true);
  }

  protected takeMatrix(): readonly (readonly Expr[])[] | null {
    const start = this.mark();
    const bracketed = this.takes('(') || this.takes('[');
    const name = this.takesCommand('begin') ? this.environment() : null;
    if (name === null || !/^[pbvB]?matrix$/.test(name) || (name === 'matrix' && !bracketed)) {
      this.back(start);
      return null;
    }
    const rows: Expr[][] = [[]];
    while (!this.takesCommand('end')) {
      if (this.takes('&')) continue;
      if (this.takesCommand('newline')) {
        if (this.takesCommand('newline')) throw new Unread('a row of a matrix is empty');
        rows.push([]);
      } else rows.at(-1)?.push(this.sum());
    }
    this.environment();
    if (bracketed && !this.takes(')') && !this.takes(']')) throw new Unread('a bracket is missing');
    return rows.filter((row) => row.length > 0);
  }

  private environment(): string {
    this.need('{');
    let name = '';
    while (!this.takes('}')) {
      const token = this.peek();
      if (token?.type !== 'letter') throw new Unread('an environment has no name');
      name += token.text;
      this.skip();
    }
    return name;
  }
}

const MOST_FACTORS = 12n;

/** With letters above and a small number below it is a polynomial: \binom{n}{2} = n(n-1)/2. */
function binomial(above: Expr, below: Expr): Expr {
  const count = fractionOf(below);
  if (fractionOf(above) !== null || count?.d !== 1n || count.n < 1n || count.n > MOST_FACTORS) return { kind: 'call', name: 'binomial', args: [above, below] };
  const steps = Array.from({ length: Number(count.n) }, (_, k) => k);
  return quotient(product(steps.map((k) => sum([above, numberOf(-k)]))), product(steps.map((k) => numberOf(k + 1))));
}

function literal(text: string): Expr {
  return { kind: 'number', value: fromDecimal(text.startsWith('.') ? `0${text}` : text), written: text.includes('.') ? 'decimal' : 'integer' };
}

/** A whole number beside a positive fraction or number is their sum: 2\frac12. */
function mixed(left: Expr, right: Expr): Expr | null {
  if (left.kind !== 'number' || left.written !== 'integer' || left.value.d !== 1n) return null;
  const fraction = fractionOf(right);
  return fraction === null || fraction.n <= 0n ? null : { kind: 'number', value: add(left.value, fraction), written: 'mixed' };
}

/** The rational number that is written there, not worked out: 1/2, \frac{-3}{4}. */
export function fractionOf(expr: Expr): Rational | null {
  if (expr.kind === 'number') return expr.written === 'decimal' ? null : expr.value;
  if (expr.kind === 'negative') {
    const of = fractionOf(expr.of);
    return of === null ? null : negate(of);
  }
  if (expr.kind !== 'quotient') return null;
  const [over, under] = [fractionOf(expr.over), fractionOf(expr.under)];
  return over === null || under === null || under.n === 0n ? null : divide(over, under);
}
