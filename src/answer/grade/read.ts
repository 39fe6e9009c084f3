/**
 * A normal answer → its form: lists, sets, tuples, intervals, unions, relations, matrices, values. Reads as Math-Verify
 * does, also where that is one of several readings: 2\frac12 is a mixed number, (1, 2) an interval until it is compared.
 */

import { Undecided } from '../undecided.ts';
import { Unread } from './unread.ts';
import { numericValue } from '../numeric.ts';
import { negative, sum, type Expr } from '../expression.ts';
import { INFINITY, type Form, type Sign } from './form.ts';
import { Values } from './values.ts';
import { tokensOf } from './tokens.ts';

/** Marks of an answer with complex numbers; its letters are not the letters of one without. */
const COMPLEX = /\\mathbb\{C\}|(?<![\w])i(?![\w])|\\text\{i\}|\\imath(?![a-zA-Z])|\\det/;
const THOUSANDS = /^\s*-?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$/;
const SIGNS: Readonly<Record<string, Sign>> = { '=': '=', '<': '<', '>': '>', '≤': '<=', '≥': '>=', '≠': '!=', lt: '<', gt: '>', le: '<=', leq: '<=', leqslant: '<=', ge: '>=', geq: '>=', geqslant: '>=', ne: '!=', neq: '!=' };

/** @throws Undecided where it can't be read */
export function readForm(normal: string): Form {
  if (/^\s*$/.test(normal)) throw new Unread('the answer is empty');
  const reader = new Reader(tokensOf(THOUSANDS.test(normal) ? normal.replaceAll(',', '') : normal), COMPLEX.test(normal));
  return reader.whole();
}

class Reader extends Values {
  whole(): Form {
    const form = this.list();
    if (this.peek() !== undefined) throw new Unread('there is more behind it');
    return form;
  }

  private list(): Form {
    const items = this.items();
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'set', items };
  }

  /** Between commas; groups of those between semicolons are tuples. */
  private items(): readonly Form[] {
    const groups: Form[][] = [[]];
    for (;;) {
      groups.at(-1)?.push(...this.element());
      if (this.takes(',')) continue;
      if (!this.takes(';')) break;
      groups.push([]);
    }
    const [only = []] = groups;
    return groups.length === 1 ? only : groups.map((items): Form => (items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'tuple', items }));
  }

  /** One or, with ±, two. */
  private element(): Form[] {
    const sides: Form[][] = [this.side()];
    const signs: Sign[] = [];
    for (;;) {
      const sign = this.relationSign();
      if (sign === null) break;
      sides.push(this.side());
      signs.push(sign);
    }
    if (sides.length === 1) return sides[0] ?? [];
    const last = sides.at(-1) ?? [];
    const before = sides.slice(0, -1).map(([form]) => form).filter((form) => form !== undefined);
    return last.map((form): Form => ({ kind: 'relation', sides: [...before, form], signs }));
  }

  private relationSign(): Sign | null {
    const token = this.peek();
    if (token?.type !== 'sign' && token?.type !== 'command') return null;
    if (token.text === 'in' || token.text === 'approx') {
      this.skip();
      return '=';
    }
    const sign = SIGNS[token.text];
    if (sign === undefined) return null;
    this.skip();
    return this.takes('=') && (sign === '<' || sign === '>') ? `${sign}=` : sign;
  }

  private side(): Form[] {
    const [first, ...more] = this.operand();
    if (first === undefined) throw new Unread('a part is missing');
    const items = [first];
    while (this.takesCommand('cup')) items.push(...this.operand());
    return items.length === 1 ? [first, ...more] : [{ kind: 'union', items }];
  }

  private operand(): Form[] {
    return this.named() ?? this.setOf() ?? this.bracketed() ?? this.matrix() ?? this.plusMinus();
  }

  private named(): Form[] | null {
    const token = this.peek();
    if (token?.type !== 'command') return null;
    if (token.text !== 'emptyset' && !token.text.startsWith('mathbb')) return null;
    this.skip();
    if (token.text === 'mathbbR') return [{ kind: 'interval', from: negative(INFINITY), to: INFINITY, openLeft: true, openRight: true }];
    return [token.text === 'emptyset' ? { kind: 'set', items: [] } : { kind: 'named', name: token.text }];
  }

  private setOf(): Form[] | null {
    if (!this.takesCommand('{')) return null;
    if (this.takesCommand('}')) return [{ kind: 'set', items: [] }];
    const items = this.items();
    if (!this.takesCommand('}')) throw new Unread('a set is not closed');
    return [{ kind: 'set', items }];
  }

  /** (a, b) and its kin; null where the bracket is part of a value. */
  private bracketed(): Form[] | null {
    const open = this.peek();
    if (open?.type !== 'sign' || (open.text !== '(' && open.text !== '[')) return null;
    const start = this.mark();
    this.skip();
    try {
      const inside = this.list();
      const close = this.takes(')') ? ')' : this.takes(']') ? ']' : null;
      const isWhole = close !== null && this.endsOperand();
      if (isWhole && inside.kind === 'set' && inside.items.length > 1) return [pair(inside.items, open.text, close)];
      if (isWhole && inside.kind !== 'value') return [inside];
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
    }
    this.back(start);
    return null;
  }

  private endsOperand(): boolean {
    const token = this.peek();
    if (token === undefined) return true;
    return token.type === 'command' ? token.text in SIGNS || ['in', 'cup', '}'].includes(token.text) : token.type === 'sign' && (token.text in SIGNS || [',', ';', ')', ']', '}'].includes(token.text));
  }

  private matrix(): Form[] | null {
    const start = this.mark();
    const rows = this.takeMatrix();
    if (rows === null) return null;
    if (this.endsOperand()) return [{ kind: 'matrix', rows }];
    this.back(start);
    return null;
  }

  private plusMinus(): Form[] {
    if (this.takesCommand('pm')) {
      const of = this.sum();
      return [value(of), value(negative(of))];
    }
    const left = this.sum();
    if (!this.takesCommand('pm')) return [value(left)];
    const right = this.sum();
    return [value(sum([left, right])), value(sum([left, negative(right)]))];
  }
}

function value(expr: Expr): Form {
  return { kind: 'value', expr };
}

/** Two values that ascend are an interval; all else is a tuple. */
function pair(items: readonly Form[], open: '(' | '[', close: ')' | ']'): Form {
  const [first, second] = items;
  if (items.length !== 2 || first?.kind !== 'value' || second?.kind !== 'value') return { kind: 'tuple', items };
  const [openLeft, openRight] = [open === '(', close === ')'];
  const [from, to] = [sizeOf(first.expr), sizeOf(second.expr)];
  if (from !== null && to !== null && ((openLeft && openRight && to <= from) || (!openLeft && !openRight && to < from))) return { kind: 'tuple', items };
  if (from !== null && from === to && !openLeft && !openRight) return { kind: 'set', items: [first] };
  return { kind: 'interval', from: first.expr, to: second.expr, openLeft, openRight };
}

function sizeOf(expr: Expr): number | null {
  if (expr === INFINITY) return Infinity;
  if (expr.kind === 'negative' && expr.of === INFINITY) return -Infinity;
  return numericValue(expr)?.toNumber() ?? null;
}
