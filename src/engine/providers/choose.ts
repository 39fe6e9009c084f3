/**
 * Which provider a model runs on. A provider other than the CPU is tested at its first use, in a process of its own,
 * and the verdict is kept; `auto` takes the fastest of those that are right, a name is refused unless it is right.
 * Knows the order of the questions; probe.ts asks them and record.ts remembers.
 */
import type { Provider, ProviderChoice, RejectedProvider } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';
import { SELF_TEST_FILE } from '../../protocol/manifest.ts';
import { reason, told, type Reason, type Told } from '../../protocol/reasons.ts';
import { openModelFolder } from '../modelFolder.ts';
import { availableProviders, refuseUnknown, type LocalProviderInfo } from '../session.ts';
import { describeEnvironment } from './environment.ts';
import type { Speeds } from './pace.ts';
import { probeProvider, type Verdict } from './probe.ts';
import type { ProviderRecord } from './record.ts';

/** @throws TahError engine.provider-unavailable for a name that can't be used, cancelled */
export type ChooseProvider = (model: string, choice: ProviderChoice, signal?: AbortSignal) => Promise<LocalProviderInfo>;

export interface ChooserOptions {
  /** The program that calls `serveProbe`. */
  readonly probeEntry: string;
  /** The model folder with the self-test; null where there is none: then nothing but the CPU is taken by `auto`. */
  readonly selfTestFolder: () => Promise<string | null>;
  readonly record: ProviderRecord;
  /** Longest time that a provider may take for its self-test. Default 60 s. */
  readonly timeoutMs?: number;
  /** The time of a device that `auto` compares with the CPU, without the CPU's and the opening of a large model. Default 10 s. */
  readonly budgetMs?: number;
}

const TIMEOUT_MS = 60_000;
const BUDGET_MS = 10_000;
/** Core ML compiles a graph anew for every shape, and ours has others at each run. */
const NEVER_BY_ITSELF: readonly Provider[] = ['coreml'];

const TEST_AGAIN = 'Choose "auto" or "cpu". It is tested again by "tah providers --again", and by Diagnose in VS Code.';

/** Takes what is named, and the CPU for `auto`: no test. For programs without a bundled model. */
export const chooseUntested: ChooseProvider = (_, choice) => {
  if (choice !== 'auto' && choice !== 'cpu') {
    refuseUnknown(choice);
    return Promise.resolve({ provider: choice, ...told('provider-chosen'), rejected: [] });
  }
  const why = told(choice === 'cpu' ? 'provider-cpu-chosen' : 'provider-not-by-itself');
  const rejected = availableProviders().flatMap((provider) => (provider === 'cpu' ? [] : [{ provider, ...why }]));
  return Promise.resolve({ provider: 'cpu', ...told(choice === 'cpu' ? 'provider-chosen' : 'provider-none-tested'), rejected });
};

export function createChooser(options: ChooserOptions): ChooseProvider {
  return async (model, choice, signal) => {
    if (choice === 'cpu') return chooseUntested(model, choice);
    const tests = await openTests(options, model, signal);
    if (tests === null) return chooseUntested(model, choice);
    return choice === 'auto' ? fastest(tests) : named(tests, choice);
  };
}

/** The verdicts on providers for one model: kept ones, or new ones. */
interface Tests {
  /** The whole self-test, however slow the provider is. */
  whole(provider: Provider): Promise<Verdict>;
  /** Given up where the provider is slower than the CPU. */
  compared(provider: Provider): Promise<Verdict>;
}

async function openTests(options: ChooserOptions, model: string, signal: AbortSignal | undefined): Promise<Tests | null> {
  const folder = await options.selfTestFolder();
  if (folder === null) return null;
  const selfTest = openModelFolder(folder);
  if (!selfTest.manifest.files.some(({ path }) => path === SELF_TEST_FILE)) return null;
  const { hash: modelHash } = openModelFolder(model).info;
  const environment = describeEnvironment();
  const { record, probeEntry: entry, timeoutMs = TIMEOUT_MS, budgetMs = BUDGET_MS } = options;
  const test = async (provider: Provider, holds: (known: Verdict) => boolean, cpu?: () => Promise<Speeds | null>): Promise<Verdict> => {
    const key = { provider, environment, selfTestHash: selfTest.info.hash, modelHash };
    const known = record.find(key);
    if (known !== null && holds(known)) return known;
    const comparison = cpu === undefined ? undefined : { cpu, budgetMs };
    const verdict = await probeProvider({ provider, selfTest: folder, model }, { entry, timeoutMs, signal, comparison });
    record.keep(key, verdict);
    return verdict;
  };
  // One that was given up has not been tested to its end.
  const whole = (provider: Provider): Promise<Verdict> => test(provider, (known) => known.kind !== 'slow' && (known.kind !== 'hung' || known.seconds * 1000 >= timeoutMs));
  const cpu = async (): Promise<Speeds | null> => {
    const verdict = await whole('cpu');
    return verdict.kind === 'right' ? verdict : null;
  };
  return { whole, compared: (provider) => test(provider, () => true, cpu) };
}

async function named(tests: Tests, choice: Provider): Promise<LocalProviderInfo> {
  refuseUnknown(choice);
  const verdict = await tests.whole(choice);
  if (verdict.kind === 'right') return { provider: choice, ...told('provider-holds', speed(verdict)), rejected: [] };
  const failed = verdict.kind === 'unavailable' ? verdict.reason : `The provider "${choice}" ${failure(verdict).reason}.`;
  throw new TahError('engine.provider-unavailable', failed, { subject: choice, hint: TEST_AGAIN });
}

async function fastest(tests: Tests): Promise<LocalProviderInfo> {
  const right: { readonly provider: Provider; readonly verdict: Right }[] = [];
  const rejected: RejectedProvider[] = [];
  let slow = false;
  for (const provider of availableProviders()) {
    if (provider === 'cpu') continue;
    if (NEVER_BY_ITSELF.includes(provider)) {
      rejected.push({ provider, ...told('provider-not-by-itself') });
      continue;
    }
    const verdict = await tests.compared(provider);
    if (verdict.kind === 'right') right.push({ provider, verdict });
    else rejected.push({ provider, ...failure(verdict) });
    slow ||= verdict.kind === 'slow';
  }
  if (right.length === 0) return { provider: 'cpu', ...told(slow ? 'provider-none-as-fast' : 'provider-none-works'), rejected };
  const cpu = await tests.whole('cpu');
  if (cpu.kind === 'right') right.push({ provider: 'cpu', verdict: cpu });
  else rejected.push({ provider: 'cpu', ...failure(cpu) });
  const [best, ...slower] = right.toSorted((a, b) => b.verdict.tokensPerSecond - a.verdict.tokensPerSecond);
  if (best === undefined) throw new Error('of several right providers none is the fastest');
  const others = slower.map(({ provider, verdict }): RejectedProvider => ({ provider, ...told('provider-slower', speed(verdict)) }));
  return { provider: best.provider, ...told('provider-fastest', speed(best.verdict)), rejected: [...others, ...rejected] };
}

type Right = Verdict & { readonly kind: 'right' };

/** Why a provider is not used, as the rest of a sentence about it. */
function failure(verdict: Exclude<Verdict, Right>): Required<Told> {
  switch (verdict.kind) {
    case 'slow':
      return told('provider-too-slow', String(verdict.tokens), verdict.seconds.toFixed(1), speed({ tokensPerSecond: verdict.cpuTokensPerSecond }));
    case 'hung':
      return told('provider-hung', String(verdict.seconds));
    case 'unavailable':
      return told('provider-unavailable', verdict.reason);
    case 'wrong':
    case 'crashed':
      return told('provider-failed', verdict.reason);
    default:
      return verdict satisfies never;
  }
}

function speed({ tokensPerSecond }: { readonly tokensPerSecond: number }): Reason {
  return reason('tokens-a-second', tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0));
}
