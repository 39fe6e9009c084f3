/** Rounds: in each, every case is measured once, in turn; the first round warms up and is not counted. */
import type { Contestant, Question } from './contestant.ts';

export interface Case {
  readonly key: string;
  readonly contestant: Contestant;
  readonly question: Question;
}

/** Milliseconds by key, a value a round. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** @param between measured in every round beside the cases */
export async function measureRounds(cases: readonly Case[], rounds: number, between: () => Promise<void>, say: (text: string) => void): Promise<Times> {
  const times = new Map<string, number[]>(cases.map(({ key }) => [key, []]));
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'Warming up' : `Round ${round} of ${rounds}`);
    await between();
    // Every other round the other way: whoever comes after a hot one is not always the same.
    for (const { key, contestant, question } of round % 2 === 0 ? cases : cases.toReversed()) {
      const { ms } = await contestant.ask(question);
      if (ms === undefined) throw new Error(`${contestant.name} gave no time for ${key}`);
      if (round > 0) times.get(key)?.push(ms);
    }
  }
  return times;
}
