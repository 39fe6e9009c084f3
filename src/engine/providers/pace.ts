/**
 * The pace of a device that is tested: how long its tokens take, and when it is sure that another device is faster by
 * far, so that the test need not go on. Knows times; knows no model.
 */

/** Tokens a second: of the fastest step of the self-test, and of the model that is timed. */
export interface Speeds {
  readonly selfTestTokensPerSecond: number;
  readonly tokensPerSecond: number;
}

/** Tokens after which the fastest one says what a device can do: the first ones compile its kernels. */
const SURE_TOKENS = 4;

/** Thrown out of a test that need not go on. */
export class TooSlow extends Error {
  /** @param tokens that were computed @param seconds that they took, without prompts @param rival tokens a second of the other device */
  constructor(
    readonly tokens: number,
    readonly seconds: number,
    readonly rival: number,
  ) {
    super(`${tokens} tokens took ${seconds} s`);
  }
}

export interface PaceOptions {
  /** Tokens a second of the other device at the same work; null: there is none, and nothing is too slow. */
  readonly rival?: number | null;
  /** How many times slower than the rival even the fastest token has to be for the test to end. */
  readonly slower?: number;
  readonly onStep?: (kind: 'prompt' | 'token') => void;
}

export class Pace {
  private readonly times: number[] = [];

  constructor(private readonly options: PaceOptions = {}) {}

  /** Tokens a second of the fastest token; 0 before the first. */
  get fastest(): number {
    return this.times.length === 0 ? 0 : 1000 / Math.max(1e-3, Math.min(...this.times));
  }

  async prompt<T>(work: () => Promise<T>): Promise<T> {
    const result = await work();
    this.options.onStep?.('prompt');
    return result;
  }

  /** @throws TooSlow */
  async token<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.times.push(performance.now() - started);
    this.options.onStep?.('token');
    const { rival = null, slower = 1 } = this.options;
    if (rival !== null && this.times.length >= SURE_TOKENS && this.fastest * slower < rival) {
      throw new TooSlow(this.times.length, this.times.reduce((sum, ms) => sum + ms, 0) / 1000, rival);
    }
    return result;
  }
}
