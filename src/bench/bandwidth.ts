/**
 * How fast this machine reads memory: each worker looks for a byte that is not in its own large block, which is the C
 * library's memchr, a loop over vectors that only reads. As many workers as the engine has threads.
 */
import { Worker } from 'node:worker_threads';

const BLOCK_BYTES = 256 * 1024 * 1024;
const PASSES = 4;

const WORKER = `
const { parentPort } = require('node:worker_threads');
const block = Buffer.alloc(${BLOCK_BYTES}, 1);
block.indexOf(2);
parentPort.on('message', () => {
  for (let pass = 0; pass < ${PASSES}; pass++) if (block.indexOf(2) !== -1) throw new Error('the byte was found');
  parentPort.postMessage('read');
});
parentPort.postMessage('ready');
`;

export interface BandwidthMeter {
  /** Bytes a second, all workers together. */
  measure(): Promise<number>;
  close(): Promise<void>;
}

export async function bandwidthMeter(threads: number): Promise<BandwidthMeter> {
  const workers = Array.from({ length: threads }, () => new Worker(WORKER, { eval: true }));
  const answers = (): Promise<unknown[]> => Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))));
  await answers();
  return {
    measure: async () => {
      const read = answers();
      const started = performance.now();
      for (const worker of workers) worker.postMessage('read');
      await read;
      return (threads * PASSES * BLOCK_BYTES) / ((performance.now() - started) / 1000);
    },
    close: async () => { await Promise.all(workers.map((worker) => worker.terminate())); },
  };
}
