/** A Date whose now is set anew by up to ten years, ahead or back, every few calls. */
import { randomOf } from '../fixtures/stress/random.ts';

const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000;
const CALLS = 5;

export function jumpingDate(seed: number): DateConstructor {
  const Real = globalThis.Date;
  const random = randomOf(seed);
  let offset = 0;
  let calls = 0;
  const now = (): number => {
    if (calls++ % CALLS === 0) offset = Math.round((2 * random.next() - 1) * TEN_YEARS_MS);
    return Real.now() + offset;
  };
  return new Proxy(Real, {
    construct: (target, args: unknown[]) => (args.length === 0 ? new target(now()) : (Reflect.construct(target, args) as Date)),
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  });
}
