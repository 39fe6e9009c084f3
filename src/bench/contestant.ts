/**
 * A program that is measured: a process of its own that answers one JSON line with another. It holds its model between
 * the questions, so that rounds can alternate between programs without loading anything.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Question =
  /** Fills a cache with `context` rows of real numbers and keeps it. */
  | { readonly op: 'fill'; readonly context: number }
  /** Tokens one by one after that cache, which is as before afterwards. @returns ms a token */
  | { readonly op: 'decode'; readonly context: number; readonly tokens: number; /** Share of tokens with a second pass. */ readonly hard?: number; /** Share of those whose next token is guessed. */ readonly guessed?: number }
  /** A prompt from nothing. @returns ms until its last logits are there */
  | { readonly op: 'prefill'; readonly tokens: number; readonly decides?: boolean; readonly hard?: number }
  | { readonly op: 'memory' };

export interface Answer {
  readonly ms?: number;
  readonly rssBytes?: number;
  /** Bytes of keys and values that are held. */
  readonly cacheBytes?: number;
  readonly error?: string;
}

export interface Contestant {
  readonly name: string;
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/** @throws Error with the program's last words where it ends before its first line, `{"ready":true}` */
export async function start(name: string, command: string, args: readonly string[]): Promise<Contestant> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const failure = failureOf(child, name);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer> => {
    for (;;) {
      const line = await Promise.race([lines.next(), failure]);
      if (line.done === true) return await failure;
      // A peer's libraries may print lines of their own.
      if (line.value.startsWith('{')) return JSON.parse(line.value) as Answer;
    }
  };
  await next();
  return {
    name,
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const answer = await next();
      if (answer.error !== undefined) throw new Error(`${name} failed at ${JSON.stringify(question)}: ${answer.error}`);
      return answer;
    },
    close: async () => {
      const ended = failure.catch(() => undefined);
      child.stdin.end();
      await ended;
    },
  };
}

/** Rejects when the process ends. */
function failureOf(child: ChildProcessWithoutNullStreams, name: string): Promise<never> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2000); });
  const failure = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => { reject(new Error(`${name} has ended (${code ?? 'by a signal'})${said === '' ? '' : `: ${said.trim().split('\n').slice(-3).join(' ')}`}`)); });
  });
  // Looked at by whoever asks; an end that nobody waits for is no error.
  failure.catch(() => undefined);
  return failure;
}

/** The other side: answers the questions on standard input until it ends. */
export async function serve(answer: (question: Question) => Promise<Answer>): Promise<void> {
  process.stdout.write('{"ready":true}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    let said: Answer;
    try {
      said = await answer(JSON.parse(line) as Question);
    } catch (error) {
      said = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(said)}\n`);
  }
}
