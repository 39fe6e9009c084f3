/**
 * Both ends of a self-test in a process of its own: a provider that crashes or hangs takes that process down and
 * nothing else. `serveProbe` is the child's whole life, `probeProvider` forks it and says what came of it.
 */
import { fork } from 'node:child_process';
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
import { replaySelfTest, tokensPerSecond } from './replay.ts';
import { faultOf, readSelfTest } from './selfTest.ts';

export interface ProbeRequest {
  readonly provider: Provider;
  /** Model folder with a self-test. */
  readonly selfTest: string;
  /** Model folder that is timed. */
  readonly model: string;
}

export type Verdict =
  /** Its numbers agree. */
  | { readonly kind: 'right'; readonly tokensPerSecond: number }
  /** It is not in this build, or finds no device or library. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'wrong'; readonly reason: string }
  | { readonly kind: 'crashed'; readonly reason: string }
  | { readonly kind: 'hung'; readonly reason: string };

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

async function judge({ provider, selfTest, model }: ProbeRequest): Promise<Verdict> {
  const test = readSelfTest(selfTest);
  if (test === null) throw new Error(`${path.basename(selfTest)} has no self-test`);
  try {
    const tested = await withSession(selfTest, provider, async (session, manifest) => {
      const fault = faultOf(test, await replaySelfTest(session, manifest, test));
      // Timed on the same session: on a graphics card the first runs of a session compile its kernels.
      return { fault, speed: fault === null && path.resolve(model) === path.resolve(selfTest) ? await tokensPerSecond(session, manifest) : null };
    });
    if (tested.fault !== null) return { kind: 'wrong', reason: `its numbers are wrong: ${tested.fault}` };
    return { kind: 'right', tokensPerSecond: tested.speed ?? (await withSession(model, provider, tokensPerSecond)) };
  } catch (caught) {
    const error = TahError.from(caught);
    if (error.code === 'engine.provider-unavailable' || error.code === 'engine.out-of-memory') return { kind: 'unavailable', reason: error.message };
    if (error.code === 'engine.run-failed') return { kind: 'wrong', reason: error.message };
    throw error;
  }
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
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const LAST_WORDS = 300;

/** Forks the probe and waits for its verdict, `timeoutMs` at most. @throws TahError cancelled */
export function probeProvider(request: ProbeRequest, { entry, timeoutMs, signal }: ProbeOptions): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(cancelled());
      return;
    }
    const child = fork(entry, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json', env: { ...process.env, [PARENT_VARIABLE]: String(process.pid) } });
    let words = '';
    let verdict: Verdict | null = null;
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const onAbort = (): void => { child.kill('SIGKILL'); };
    signal?.addEventListener('abort', onAbort, { once: true });
    const finish = (end: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted === true) reject(cancelled());
      else if (verdict !== null) resolve(verdict);
      else if (hung) resolve({ kind: 'hung', reason: `it gave no answer within ${timeoutMs / 1000} s` });
      else resolve({ kind: 'crashed', reason: `its process ended with ${end}${words.trim() === '' ? '' : `; it said last: ${words.trim()}`}` });
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(-LAST_WORDS); });
    child.once('message', (message) => { verdict = message as Verdict; });
    child.once('error', (error) => { finish(error.message); });
    child.once('close', (code, killedBy) => { finish(killedBy === null ? `exit code ${code ?? 0}` : `signal ${killedBy}`); });
    // A child that is gone already is told by 'close'.
    child.send(request, () => undefined);
  });
}
