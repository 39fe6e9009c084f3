/** A limit of time that can be stopped and go on: what it does not run is not counted. */
export class Clock {
  private timer: NodeJS.Timeout | null = null;
  private since = 0;
  private leftMs: number;

  /** Runs from now on; `onEnd` is called when it has run for `ms`. */
  constructor(
    readonly ms: number,
    private readonly onEnd: (clock: Clock) => void,
  ) {
    this.leftMs = ms;
    this.run();
  }

  run(): void {
    if (this.timer !== null) return;
    this.since = performance.now();
    this.timer = setTimeout(() => { this.onEnd(this); }, Math.max(0, this.leftMs));
  }

  stop(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.leftMs -= performance.now() - this.since;
  }
}
