/** Frames and blocked times of a page while something happens, as its browser measures them. */
import type { Frame } from 'playwright-core';

export interface PageTimes {
  /** Of the watched time. */
  readonly seconds: number;
  readonly framesASecond: number;
  /** Milliseconds between frames. */
  readonly medianFrame: number;
  readonly slowestFrame: number;
  /** Tasks that held the page for more than 50 ms, and the longest of them in milliseconds; 0 where there is none. */
  readonly longTasks: number;
  readonly longestTask: number;
}

/** Runs in the browser. */
const WATCH = `(() => {
  const seen = { frames: [], tasks: [], last: performance.now() };
  window.tahSeen = seen;
  seen.observer = new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration)));
  seen.observer.observe({ type: 'longtask' });
  const tick = () => {
    if (window.tahSeen !== seen) return;
    const now = performance.now();
    seen.frames.push(now - seen.last);
    seen.last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})()`;

const END = `(({ frames, tasks, observer }) => {
  tasks.push(...observer.takeRecords().map(({ duration }) => duration));
  observer.disconnect();
  window.tahSeen = null;
  return { frames, tasks };
})(window.tahSeen)`;

/** Measures the page of `frame` while `work` is done, which must leave that page in place. */
export async function pageTimes(frame: Frame, work: () => Promise<void>): Promise<PageTimes> {
  await frame.evaluate(WATCH);
  await work();
  const { frames, tasks } = await frame.evaluate<{ frames: number[]; tasks: number[] }>(END);
  const sorted = frames.toSorted((a, b) => a - b);
  const total = frames.reduce((sum, time) => sum + time, 0);
  return {
    seconds: total / 1000,
    framesASecond: total === 0 ? 0 : (1000 * frames.length) / total,
    medianFrame: sorted[sorted.length >> 1] ?? Infinity,
    slowestFrame: sorted.at(-1) ?? Infinity,
    longTasks: tasks.length,
    longestTask: Math.max(0, ...tasks),
  };
}

export function describeTimes(what: string, times: PageTimes): string {
  return `${what}: ${times.seconds.toFixed(1)} s, ${times.framesASecond.toFixed(1)} frames a second, median frame ${times.medianFrame.toFixed(1)} ms, slowest ${times.slowestFrame.toFixed(0)} ms; ${times.longTasks} tasks above 50 ms, the longest ${times.longestTask.toFixed(0)} ms`;
}
