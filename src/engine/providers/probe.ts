/**
 * Both ends of a self-test in a process of its own: a provider that crashes or hangs takes that process down and
 * nothing else. `serveProbe` is the child's whole life, `probeProvider` forks it and says what came of it. A device that
 * is compared is told the CPU's speeds and given up as soon as it is sure that it is slower, or when its time is over.
 */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Provider } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import { PARENT_VARIABLE } from '../../protocol/rpc.ts';
import { cancelled } from '../../protocol/streams.ts';
import { openModelFolder } from '../modelFolder.ts';
import { openModelSession } from '../modelSession.ts';
import { watchParent } from '../parentWatch.ts';
import type { Session } from '../session.ts';
import { Clock } from './clock.ts';
import { Pace, TooSlow, type Speeds } from './pace.ts';
import { replaySelfTest, tokensPerSecond } from './replay.ts';
import { faultOf, readSelfTest } from './selfTest.ts';

export interface ProbeRequest {
  readonly provider: Provider;
  /** Model folder with a self-test. */
  readonly selfTest: string;
  /** Model folder that is timed. */
  readonly model: string;
  /** Whether the device is compared with the CPU: it asks for the CPU's speeds and gives up where it can't keep up. */
  readonly compared: boolean;
}

export type Verdict =
  /** Its numbers agree. */
  | ({ readonly kind: 'right' } & Speeds)
  /** Given up: so many tokens took so long, where the CPU makes so many of them a second. Nothing is said of its numbers. */
  | { readonly kind: 'slow'; readonly tokens: number; readonly seconds: number; readonly cpuTokensPerSecond: number }
  /** It gave no answer at all within this time. */
  | { readonly kind: 'hung'; readonly seconds: number }
  /** It is not in this build, or finds no device or library. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'wrong'; readonly reason: string }
  | { readonly kind: 'crashed'; readonly reason: string };

/** What the child says on its way to the verdict. */
type Progress =
  /** The device is there, and the self-test's model open on it: it waits for the CPU's speeds, or null where there are none. */
  | { readonly kind: 'there' }
  /** It has computed one. */
  | { readonly kind: 'prompt' | 'token' }
  /** The self-test holds; the model that is timed is another one and is opened. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'timing' };

/** What the child gets for `there`. */
interface CpuAnswer {
  readonly cpu: Speeds | null;
}

/**
 * How many times slower than the CPU a device may be. The bundled model is so small that a graphics card spends its time
 * between kernels, so that it says little about a larger one; a software device is a hundred times slower.
 */
const SLOWER_AT_SELF_TEST = 32;
const SLOWER = 2;

/** Answers one request of the parent process, and ends. */
export function serveProbe(): void {
  watchParent((text) => { process.stderr.write(`${text}\n`); });
  process.once('disconnect', () => process.exit(0));
  process.once('message', (request: ProbeRequest) => {
    judge(request).then(
      (verdict) => { process.send?.(verdict, () => process.exit(0)); },
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}

function tell(progress: Progress): void {
  process.send?.(progress);
}

function askForCpu(): Promise<Speeds | null> {
  return new Promise((resolve) => {
    process.once('message', ({ cpu }: CpuAnswer) => { resolve(cpu); });
    tell({ kind: 'there' });
  });
}

async function judge({ provider, selfTest, model, compared }: ProbeRequest): Promise<Verdict> {
  const test = readSelfTest(selfTest);
  if (test === null) throw new Error(`${path.basename(selfTest)} has no self-test`);
  const same = path.resolve(model) === path.resolve(selfTest);
  const onStep = (kind: 'prompt' | 'token'): void => { tell({ kind }); };
  let cpu: Speeds | null = null;
  const timed = (session: Session, manifest: ModelManifest): Promise<number> => {
    tell({ kind: 'timing' });
    return tokensPerSecond(session, manifest, new Pace({ rival: cpu?.tokensPerSecond ?? null, slower: SLOWER, onStep }));
  };
  try {
    const tested = await withSession(selfTest, provider, async (session, manifest) => {
      if (compared) cpu = await askForCpu();
      const pace = new Pace({ rival: cpu?.selfTestTokensPerSecond ?? null, slower: SLOWER_AT_SELF_TEST, onStep });
      const fault = faultOf(test, await replaySelfTest(session, manifest, test, pace));
      // Timed on the same session: on a graphics card the first runs of a session compile its kernels.
      return { fault, selfTestSpeed: pace.fastest, speed: fault === null && same ? await timed(session, manifest) : null };
    });
    if (tested.fault !== null) return { kind: 'wrong', reason: `its numbers are wrong: ${tested.fault}` };
    if (!same) tell({ kind: 'opening' });
    return { kind: 'right', tokensPerSecond: tested.speed ?? (await withSession(model, provider, timed)), selfTestTokensPerSecond: tested.selfTestSpeed };
  } catch (caught) {
    if (caught instanceof TooSlow) return { kind: 'slow', tokens: caught.tokens, seconds: caught.seconds, cpuTokensPerSecond: caught.rival };
    return failed(TahError.from(caught));
  }
}

/** @throws the error where it says nothing about the provider */
function failed(error: TahError): Verdict {
  if (error.code === 'engine.provider-unavailable' || error.code === 'engine.out-of-memory') return { kind: 'unavailable', reason: error.message };
  if (error.code === 'engine.run-failed') return { kind: 'wrong', reason: error.message };
  throw error;
}

async function withSession<T>(folder: string, provider: Provider, use: (session: Session, manifest: ModelManifest) => Promise<T>): Promise<T> {
  const opened = openModelFolder(folder);
  const session = await openModelSession(opened, { provider, reason: 'under test', rejected: [] });
  try {
    return await use(session, opened.manifest);
  } finally {
    await session.close();
  }
}

export interface ProbeOptions {
  /** The program that calls `serveProbe`. */
  readonly entry: string;
  /** Longest time without a verdict; that in which the CPU is asked is not counted. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** For a device that is compared. */
  readonly comparison?: Comparison | undefined;
}

export interface Comparison {
  /** The CPU's speeds, or null where it fails its own self-test; asked once the device is known to be there. */
  readonly cpu: () => Promise<Speeds | null>;
  /** The device's own time: all but the CPU's and that in which the model that is timed is opened. */
  readonly budgetMs: number;
}

/** Forks the probe and waits for its verdict. @throws TahError cancelled, and what `comparison.cpu` throws */
export async function probeProvider(request: Omit<ProbeRequest, 'compared'>, options: ProbeOptions): Promise<Verdict> {
  if (options.signal?.aborted === true) throw cancelled();
  const { entry } = options;
  const child = fork(entry, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json', env: { ...process.env, [PARENT_VARIABLE]: String(process.pid) } });
  const ended = new Probe(child, options).ended();
  // A child that is gone already is told by 'close'.
  child.send({ ...request, compared: options.comparison !== undefined } satisfies ProbeRequest, () => undefined);
  return ended;
}

const LAST_WORDS = 300;

/** The parent's end: hears the child and watches its time. */
class Probe {
  private words = '';
  private verdict: Verdict | null = null;
  private thrown: TahError | null = null;
  private answered = false;
  private tokens = 0;
  private cpu: Speeds | null = null;
  /** Tokens a second of the CPU at what the device is at. */
  private rival = 0;
  private over: Clock | null = null;
  private readonly whole: Clock;
  private readonly budget: Clock;

  constructor(
    private readonly child: ChildProcess,
    private readonly options: ProbeOptions,
  ) {
    const { timeoutMs, comparison } = options;
    const end = (clock: Clock): void => {
      this.over = clock;
      child.kill('SIGKILL');
    };
    this.whole = new Clock(timeoutMs, end);
    this.budget = new Clock(comparison?.budgetMs ?? timeoutMs, end);
  }

  ended(): Promise<Verdict> {
    const { child, options: { signal } } = this;
    const onAbort = (): void => { child.kill('SIGKILL'); };
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.words = (this.words + text).slice(-LAST_WORDS); });
    child.on('message', (message) => { this.hear(message as Progress | Verdict); });
    return new Promise((resolve, reject) => {
      const finish = (end: string): void => {
        this.stopClocks();
        signal?.removeEventListener('abort', onAbort);
        if (signal?.aborted === true) reject(cancelled());
        else if (this.thrown !== null) reject(this.thrown);
        else resolve(this.verdict ?? this.verdictOf(end));
      };
      child.once('error', (error) => { finish(error.message); });
      child.once('close', (code, killedBy) => { finish(killedBy === null ? `exit code ${code ?? 0}` : `signal ${killedBy}`); });
    });
  }

  private hear(message: Progress | Verdict): void {
    switch (message.kind) {
      case 'there':
        this.stopClocks();
        this.answerWithCpu().catch((error: unknown) => {
          this.thrown = TahError.from(error);
          this.child.kill('SIGKILL');
        });
        break;
      case 'prompt':
        this.answered = true;
        break;
      case 'token':
        this.tokens++;
        break;
      case 'opening':
        this.budget.stop();
        break;
      case 'timing':
        if (this.cpu !== null) this.budget.run();
        this.rival = this.cpu?.tokensPerSecond ?? 0;
        break;
      case 'right':
      case 'slow':
      case 'hung':
      case 'unavailable':
      case 'wrong':
      case 'crashed':
        this.verdict = message;
        break;
      default:
        message satisfies never;
    }
  }

  private async answerWithCpu(): Promise<void> {
    this.cpu = (await this.options.comparison?.cpu()) ?? null;
    this.rival = this.cpu?.selfTestTokensPerSecond ?? 0;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.send({ cpu: this.cpu } satisfies CpuAnswer, () => undefined);
    this.whole.run();
    if (this.cpu !== null) this.budget.run();
  }

  private stopClocks(): void {
    this.whole.stop();
    this.budget.stop();
  }

  private verdictOf(end: string): Verdict {
    if (this.over === null) return { kind: 'crashed', reason: `its process ended with ${end}${this.words.trim() === '' ? '' : `; it said last: ${this.words.trim()}`}` };
    const seconds = this.over.ms / 1000;
    if (this.over === this.budget && this.cpu !== null && this.answered) return { kind: 'slow', tokens: this.tokens, seconds, cpuTokensPerSecond: this.rival };
    return { kind: 'hung', seconds };
  }
}
