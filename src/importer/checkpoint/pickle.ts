/**
 * Reads a Python pickle as data: the opcodes that torch.save writes, on a stack and memo of plain values.
 * Runs nothing: a global is a name, and calling one is left to the caller, who knows a handful of names by heart.
 * Every value costs at least a byte of input, no value is copied or walked, so memory is bounded by the input's length.
 * Opcodes: Python's pickletools (protocols 2 to 5).
 */
import { PickleReader } from './pickleReader.ts';
import { isKind, type PickleValue } from './pickleValue.ts';
import { refuse, type Origin } from './refusal.ts';

/** Far above a decider's pickle (a few kB: names and shapes, no numbers). */
const LARGEST_PICKLE = 1 << 20;

export interface PickleHooks<T> {
  /** Whether the name may occur at all; where not, reading stops with checkpoint.forbidden-pickle. */
  allows(global: string): boolean;
  call(global: string, args: readonly PickleValue<T>[]): PickleValue<T>;
  persistent(id: PickleValue<T>): PickleValue<T>;
}

/** @throws TahError checkpoint.forbidden-pickle for anything that would run code, checkpoint.bad-decider for damage */
export function unpickle<T>(bytes: Uint8Array, origin: Origin, hooks: PickleHooks<T>): PickleValue<T> {
  if (bytes.length > LARGEST_PICKLE) refuse('checkpoint.bad-decider', origin, `its pickle has ${bytes.length} bytes; at most ${LARGEST_PICKLE} are read`);
  return new Machine(new PickleReader(bytes, origin), hooks).run();
}

class Machine<T> {
  private readonly stack: PickleValue<T>[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue<T>>();

  constructor(
    readonly input: PickleReader,
    private readonly hooks: PickleHooks<T>,
  ) {}

  run(): PickleValue<T> {
    for (;;) {
      const opcode = this.input.byte();
      if (opcode === STOP) break;
      const step = STEPS[opcode];
      if (step) step(this);
      else this.unknown(opcode);
    }
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) this.input.damaged('leaves values on its stack');
    if (!this.input.atEnd) this.input.damaged('goes on after its end');
    return value;
  }

  forbidden(what: string): never {
    refuse('checkpoint.forbidden-pickle', this.input.origin, `its pickle ${what}, which a decider never needs; nothing of it was run`, {
      subject: what,
      hint: 'Do not load this file with torch: it may be an attack.',
    });
  }

  private unknown(opcode: number): never {
    const name = RUNS_CODE.get(opcode);
    if (name !== undefined) this.forbidden(`has the instruction ${name}`);
    this.input.damaged(`has the instruction 0x${opcode.toString(16)}, which torch.save does not write`);
  }

  // Stack and memo

  push(value: PickleValue<T>): void {
    this.stack.push(value);
  }

  pop(): PickleValue<T> {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) this.input.damaged('takes a value from an empty stack');
    const value = this.stack.pop();
    return value === undefined ? this.input.damaged('takes a value from an empty stack') : value;
  }

  top(): PickleValue<T> {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  popToMark(): PickleValue<T>[] {
    const mark = this.marks.pop() ?? this.input.damaged('closes a list that it never opened');
    return this.stack.splice(mark);
  }

  tuple(size: number): void {
    const items: PickleValue<T>[] = [];
    for (let i = 0; i < size; i++) items.unshift(this.pop());
    this.push({ kind: 'tuple', items });
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  memorySize(): number {
    return this.memo.size;
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    this.push(value === undefined ? this.input.damaged(`recalls value ${index}, which it never stored`) : value);
  }

  // Containers

  append(items: readonly PickleValue<T>[]): void {
    const list = this.top();
    if (!isKind(list, 'list')) return this.input.damaged('appends to what is no list');
    for (const item of items) list.items.push(item);
  }

  setItems(items: readonly PickleValue<T>[]): void {
    const dict = this.top();
    if (!isKind(dict, 'dict') || items.length % 2 !== 0) return this.input.damaged('sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      const value = items[i + 1];
      if ((typeof key !== 'string' && typeof key !== 'number') || value === undefined) return this.input.damaged('has a dict key that is neither text nor number');
      if (dict.entries.has(key)) return this.input.damaged(`has the key ${JSON.stringify(key).slice(0, 80)} twice in one dict`);
      dict.entries.set(key, value);
    }
  }

  // What would run code in Python

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.hooks.allows(full)) this.forbidden(`asks for ${JSON.stringify(full.slice(0, 100))}`);
    this.push({ kind: 'global', name: full });
  }

  stackGlobal(): void {
    const name = this.pop();
    const module = this.pop();
    if (typeof name !== 'string' || typeof module !== 'string') return this.input.damaged('names a global by what is no text');
    this.global(module, name);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!isKind(callee, 'global')) return this.forbidden('calls what is no allowed function');
    if (!isKind(args, 'tuple')) return this.input.damaged('calls a function without a tuple of arguments');
    this.push(this.hooks.call(callee.name, args.items));
  }

  /** Attributes of an OrderedDict (torch's `_metadata`) are dropped; nothing else may be decorated. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (!isKind(target, 'dict') || !target.ordered || !isKind(state, 'dict')) this.forbidden('sets the state of an object');
  }

  persistent(): void {
    this.push(this.hooks.persistent(this.pop()));
  }
}

const STOP = 0x2e;
type Step = (machine: Machine<unknown>) => void;

/** By opcode byte; names as in pickletools. */
const STEPS: Readonly<Record<number, Step>> = {
  0x80: (m) => {
    const protocol = m.input.byte();
    if (protocol < 2 || protocol > 5) m.input.damaged(`has protocol ${protocol}; 2 to 5 are read`);
  }, // PROTO
  0x95: (m) => {
    m.input.uint64();
  }, // FRAME
  0x28: (m) => {
    m.mark();
  }, // MARK
  0x4e: (m) => {
    m.push(null);
  }, // NONE
  0x88: (m) => {
    m.push(true);
  }, // NEWTRUE
  0x89: (m) => {
    m.push(false);
  }, // NEWFALSE
  0x4a: (m) => {
    m.push(m.input.int32());
  }, // BININT
  0x4b: (m) => {
    m.push(m.input.byte());
  }, // BININT1
  0x4d: (m) => {
    m.push(m.input.uint16());
  }, // BININT2
  0x8a: (m) => {
    m.push(m.input.long(m.input.byte()));
  }, // LONG1
  0x8b: (m) => {
    m.push(m.input.long(m.input.uint32()));
  }, // LONG4
  0x47: (m) => {
    m.push(m.input.float64());
  }, // BINFLOAT
  0x58: (m) => {
    m.push(m.input.text(m.input.uint32()));
  }, // BINUNICODE
  0x8c: (m) => {
    m.push(m.input.text(m.input.byte()));
  }, // SHORT_BINUNICODE
  0x8d: (m) => {
    m.push(m.input.text(m.input.uint64()));
  }, // BINUNICODE8
  0x5d: (m) => {
    m.push({ kind: 'list', items: [] });
  }, // EMPTY_LIST
  0x7d: (m) => {
    m.push({ kind: 'dict', entries: new Map(), ordered: false });
  }, // EMPTY_DICT
  0x29: (m) => {
    m.push({ kind: 'tuple', items: [] });
  }, // EMPTY_TUPLE
  0x74: (m) => {
    m.push({ kind: 'tuple', items: m.popToMark() });
  }, // TUPLE
  0x85: (m) => {
    m.tuple(1);
  }, // TUPLE1
  0x86: (m) => {
    m.tuple(2);
  }, // TUPLE2
  0x87: (m) => {
    m.tuple(3);
  }, // TUPLE3
  0x61: (m) => {
    m.append([m.pop()]);
  }, // APPEND
  0x65: (m) => {
    m.append(m.popToMark());
  }, // APPENDS
  0x73: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  }, // SETITEM
  0x75: (m) => {
    m.setItems(m.popToMark());
  }, // SETITEMS
  0x71: (m) => {
    m.remember(m.input.byte());
  }, // BINPUT
  0x72: (m) => {
    m.remember(m.input.uint32());
  }, // LONG_BINPUT
  0x94: (m) => {
    m.remember(m.memorySize());
  }, // MEMOIZE
  0x68: (m) => {
    m.recall(m.input.byte());
  }, // BINGET
  0x6a: (m) => {
    m.recall(m.input.uint32());
  }, // LONG_BINGET
  0x63: (m) => {
    const module = m.input.line();
    m.global(module, m.input.line());
  }, // GLOBAL
  0x93: (m) => {
    m.stackGlobal();
  }, // STACK_GLOBAL
  0x52: (m) => {
    m.reduce();
  }, // REDUCE
  0x62: (m) => {
    m.build();
  }, // BUILD
  0x51: (m) => {
    m.persistent();
  }, // BINPERSID
};

/** Instructions that make objects of any class; named in the refusal. */
const RUNS_CODE: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x81, 'NEWOBJ'],
  [0x92, 'NEWOBJ_EX'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x50, 'PERSID'],
]);
