/** What a verification found, stage by stage: largest differences against tolerances, and agreements counted. Pure. */

export interface StageResult {
  readonly stage: string;
  /** Largest absolute difference of finite numbers; null for a stage that only agrees or doesn't. */
  readonly largest: number | null;
  readonly tolerance: number | null;
  /** Values compared or items counted. */
  readonly total: number;
  readonly agreed: number;
  readonly ok: boolean;
  /** The first few disagreements, in words. */
  readonly failures: readonly string[];
}

const FAILURES_KEPT = 5;

interface Stage {
  largest: number | null;
  tolerance: number | null;
  total: number;
  agreed: number;
  failures: string[];
}

export class Report {
  private readonly stages = new Map<string, Stage>();

  /** Compares numbers; a missing, extra or not finite one is a disagreement. */
  compare(stage: string, where: string, ours: ArrayLike<number>, theirs: ArrayLike<number>, tolerance: number): void {
    const entry = this.stage(stage, tolerance);
    if (ours.length !== theirs.length) {
      this.note(entry, Math.max(ours.length, theirs.length), 0, `${where}: ${ours.length} values instead of ${theirs.length}`);
      return;
    }
    let worst = 0;
    let agreed = 0;
    let notNumbers = 0;
    for (let i = 0; i < theirs.length; i++) {
      const difference = Math.abs((ours[i] ?? NaN) - (theirs[i] ?? NaN));
      if (difference <= tolerance) agreed++;
      if (Number.isFinite(difference)) worst = Math.max(worst, difference);
      else notNumbers++;
    }
    entry.largest = Math.max(entry.largest ?? 0, worst);
    const strange = notNumbers === 0 ? '' : `, ${notNumbers} are not finite`;
    this.note(entry, theirs.length, agreed, `${where}: ${theirs.length - agreed} of ${theirs.length} values differ, by ${worst.toExponential(2)} at most${strange}`);
  }

  /** Counts whether two values are the same (by their JSON). */
  agree(stage: string, where: string, ours: unknown, theirs: unknown): void {
    const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
    this.note(this.stage(stage, null), 1, a === b ? 1 : 0, `${where}: ${shortened(a)} instead of ${shortened(b)}`);
  }

  /** A thing that must not be: something unknown, missing or refused. */
  fail(stage: string, failure: string): void {
    this.note(this.stage(stage, null), 1, 0, failure);
  }

  results(): StageResult[] {
    return [...this.stages].map(([stage, entry]) => ({ stage, ...entry, ok: entry.agreed === entry.total }));
  }

  get ok(): boolean {
    const results = this.results();
    return results.some((result) => result.total > 0) && results.every((result) => result.ok);
  }

  private stage(name: string, tolerance: number | null): Stage {
    const known = this.stages.get(name);
    if (known !== undefined) return known;
    const entry: Stage = { largest: null, tolerance, total: 0, agreed: 0, failures: [] };
    this.stages.set(name, entry);
    return entry;
  }

  private note(entry: Stage, total: number, agreed: number, failure: string): void {
    entry.total += total;
    entry.agreed += agreed;
    if (agreed < total && entry.failures.length < FAILURES_KEPT) entry.failures.push(failure);
  }
}

function shortened(text: string | undefined): string {
  const shown = text ?? 'nothing';
  return shown.length <= 120 ? shown : `${shown.slice(0, 117)}…`;
}
