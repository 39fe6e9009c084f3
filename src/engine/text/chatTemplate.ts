/**
 * Renders a chat template (Jinja) that came with a checkpoint, and so from a stranger.
 * Knows: what Hugging Face gives a template (variables, functions), and bounds on everything that it does: source length,
 * steps, sizes of values, range(), time. The Jinja library reaches JavaScript objects only through its own maps, so no
 * prototype or constructor can be named; the functions below check what they are given. Knows no tokens and no files.
 */

import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { TahError } from '../../protocol/errors.ts';
import { runWithin } from './timeBox.ts';

/** The longest published template has about 20 000 characters. */
const MAX_SOURCE = 262_144;
const MAX_RANGE = 100_000;
const TIME_LIMIT_MS = 5_000;
/** Qwen3's template takes about 100 steps a message. */
const BASE_STEPS = 200_000;
const STEPS_PER_CHARACTER = 20;
const BASE_CHARACTERS = 1_048_576;

type Evaluate = Interpreter['evaluate'];
type Program = Parameters<Interpreter['run']>[0];

class TooMuch extends Error {}
class Refused extends Error {}

/** Every node of a template is evaluated through one method: there it is counted and its result measured. */
class BoundedInterpreter extends Interpreter {
  private steps = 0;
  private characters = 0;
  private readonly maxSteps: number;
  private readonly maxLength: number;

  constructor(environment: Environment, inputLength: number) {
    super(environment);
    this.maxSteps = BASE_STEPS + STEPS_PER_CHARACTER * inputLength;
    this.maxLength = BASE_CHARACTERS + 4 * inputLength;
  }

  override evaluate(...[statement, environment]: Parameters<Evaluate>): ReturnType<Evaluate> {
    if (++this.steps > this.maxSteps) throw new TooMuch(`it takes more than ${this.maxSteps} steps`);
    const result = super.evaluate(statement, environment);
    const value: unknown = result.value;
    const size = typeof value === 'string' || Array.isArray(value) ? value.length : 0;
    this.characters += size;
    // Each of many values may be as long as the text, but not each of endlessly many.
    if (size > this.maxLength || this.characters > 100 * this.maxLength) throw new TooMuch(`it makes values of more than ${this.maxLength} characters`);
    return result;
  }
}

export interface ChatTemplate {
  /**
   * @param variables what the template may use: messages, add_generation_prompt, bos_token …
   * @throws TahError engine.bad-request where the template itself refuses the messages, checkpoint.bad-tokenizer where it fails
   */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/**
 * @param source Jinja
 * @param where what to name in errors, for instance "the chat template of DIR"
 * @throws TahError checkpoint.bad-tokenizer where it is too long or no Jinja
 */
export function compileChatTemplate(source: string, where: string): ChatTemplate {
  if (source.length > MAX_SOURCE) throw unusable(where, new TooMuch(`it has ${source.length} characters`));
  const program = boxed(where, () => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })));
  return { render: (variables) => boxed(where, () => run(program, source.length, variables)) };
}

function run(program: Program, sourceLength: number, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries({ ...globals(), ...variables })) environment.set(name, value);
  const interpreter = new BoundedInterpreter(environment, sourceLength + sizeOf(variables));
  const text: unknown = interpreter.run(program).value;
  if (typeof text !== 'string') throw new Error('it renders no text');
  return text;
}

function boxed<T>(where: string, work: () => T): T {
  try {
    return runWithin(TIME_LIMIT_MS, work, () => new TooMuch(`it takes longer than ${TIME_LIMIT_MS / 1000} seconds`));
  } catch (error) {
    if (error instanceof Refused) {
      throw new TahError('engine.bad-request', `The model's chat template refuses these messages: ${error.message}`, {
        hint: 'Change the messages (roles and their order) as the template asks.',
        subject: 'messages',
      });
    }
    throw unusable(where, error);
  }
}

function unusable(where: string, error: unknown): TahError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TahError('checkpoint.bad-tokenizer', `${where} cannot be used: ${reason.slice(0, 300)}.`, {
    hint: 'Use the chat template that the model was published with, or give the prompt as plain text.',
    subject: 'chat_template',
    cause: error,
  });
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + sizeOf(inner), 1);
}

/** What Jinja and transformers define for every chat template. */
function globals(): Record<string, unknown> {
  return {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range: (...limits: unknown[]) => range(limits),
    raise_exception: (message: unknown) => {
      throw new Refused(typeof message === 'string' ? message.slice(0, 300) : 'no reason given');
    },
    strftime_now: (format: unknown) => strftime(String(format).slice(0, 200), new Date()),
  };
}

function range(limits: readonly unknown[]): number[] {
  const numbers = limits.filter((limit) => typeof limit === 'number' && Number.isSafeInteger(limit)) as number[];
  if (numbers.length !== limits.length || limits.length < 1 || limits.length > 3) throw new Error('range() takes one to three whole numbers');
  const [start = 0, stop = 0, step = 1] = limits.length === 1 ? [0, ...numbers] : numbers;
  if (step === 0) throw new Error('range() with step 0');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE) throw new TooMuch(`range() of ${length} numbers`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** Python's strftime for the codes that templates use; English names whatever the machine's language, as in Python's "C" locale. */
function strftime(format: string, now: Date): string {
  const name = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat('en-US', options).format(now);
  const two = (value: number): string => String(value).padStart(2, '0');
  const codes: Readonly<Record<string, () => string>> = {
    Y: () => String(now.getFullYear()),
    y: () => two(now.getFullYear() % 100),
    m: () => two(now.getMonth() + 1),
    d: () => two(now.getDate()),
    H: () => two(now.getHours()),
    M: () => two(now.getMinutes()),
    S: () => two(now.getSeconds()),
    b: () => name({ month: 'short' }),
    B: () => name({ month: 'long' }),
    a: () => name({ weekday: 'short' }),
    A: () => name({ weekday: 'long' }),
    '%': () => '%',
  };
  return format.replace(/%([A-Za-z%])/g, (whole, code: string) => (Object.hasOwn(codes, code) ? (codes[code]?.() ?? whole) : whole));
}
