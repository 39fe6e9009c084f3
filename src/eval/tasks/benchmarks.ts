/**
 * The benchmarks of the paper (arXiv 2511.08577): where each is on the hub and how its answers are read. The
 * repositories are those of the reference implementation's evaluation, or another one with the same problems and a
 * licence on its card. Knows no network; docs/evaluation.md has the licences.
 */

/** How a reference answer is read: as a plain number, or as LaTeX. */
export type AnswerKind = 'number' | 'latex';

export interface Benchmark {
  readonly name: string;
  /** `owner/name` on the hub. */
  readonly repository: string;
  readonly subset?: string;
  readonly split: string;
  readonly answers: AnswerKind;
  /** Problems in the split: a file with another number is not the whole benchmark. */
  readonly problems: number;
  /** Other repositories with the same problems, by which the benchmark may be called too. */
  readonly also: readonly Omit<Benchmark, 'name' | 'answers' | 'also' | 'problems'>[];
}

export const BENCHMARKS: readonly Benchmark[] = [
  { name: 'gsm8k', repository: 'openai/gsm8k', subset: 'main', split: 'test', answers: 'number', problems: 1319, also: [{ repository: 'pss0204/gsm8k_test', subset: 'gsm8k_test', split: 'test' }] },
  { name: 'math500', repository: 'HuggingFaceH4/MATH-500', split: 'test', answers: 'latex', problems: 500, also: [] },
  { name: 'aime24', repository: 'Maxwell-Jia/AIME_2024', split: 'train', answers: 'number', problems: 30, also: [{ repository: 'HuggingFaceH4/aime_2024', split: 'train' }] },
  { name: 'aime25', repository: 'math-ai/aime25', split: 'test', answers: 'number', problems: 30, also: [{ repository: 'yentinglin/aime_2025', split: 'train' }] },
  { name: 'amc23', repository: 'math-ai/amc23', split: 'test', answers: 'latex', problems: 40, also: [] },
  { name: 'olympiadbench', repository: 'realtreetune/olympiadbench', split: 'test', answers: 'latex', problems: 674, also: [{ repository: 'Hothan/OlympiadBench', subset: 'OE_TO_maths_en_COMP', split: 'train' }] },
];

/** By its name or the name of one of its repositories, which is then the one that is used; null for anything else. */
export function findBenchmark(text: string): Benchmark | null {
  for (const benchmark of BENCHMARKS) {
    if (text === benchmark.name || text === benchmark.repository) return benchmark;
    const other = benchmark.also.find(({ repository }) => repository === text);
    if (other !== undefined) return { name: benchmark.name, answers: benchmark.answers, problems: benchmark.problems, also: [], ...other };
  }
  return null;
}
