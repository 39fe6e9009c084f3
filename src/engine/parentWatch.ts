/** Ends this process when its parent has gone, whatever native call blocks it. Knows processes only. */
import { Worker } from 'node:worker_threads';
import { PARENT_VARIABLE } from '../protocol/rpc.ts';

/** How long a clean end may take after the parent's. Milliseconds. */
export const LAST_WORDS_MS = 800;
const WATCH_MS = 400;

/**
 * The channel's end is seen by the event loop, which a long native call blocks. So a thread of its own watches the
 * parent, and ends this process when the parent is gone and the clean way took too long.
 * @param report gets a sentence where the thread fails
 */
export function watchParent(report: (text: string) => void): void {
  const source = `
    const parent = process.ppid;
    // The parent may have died before this runs; then another process is taken for it, but its id has been told.
    const told = Number(process.env.${PARENT_VARIABLE});
    function ended(pid) {
      try { process.kill(pid, 0); return false; } catch (error) { return error.code === 'ESRCH'; }
    }
    function gone() {
      return process.ppid !== parent || ended(parent) || (told > 0 && ended(told));
    }
    const timer = setInterval(() => {
      if (!gone()) return;
      clearInterval(timer);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${LAST_WORDS_MS + 200});
    }, ${WATCH_MS});
  `;
  const worker = new Worker(source, { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } });
  worker.on('error', (error) => { report(`The watch over the parent process failed: ${error.message}`); });
  worker.unref();
}
