/**
 * The command line on the CUDA runtime: the loader reads LD_LIBRARY_PATH when a process starts, so where a runtime was
 * fetched the same command runs in a process of its own that has it. Without one nothing is started.
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { cacheFolder } from '../engine/providers/record.ts';
import { cudaEnvironment } from '../hub/cudaEnvironment.ts';

/** Null where this process has what it needs, or there is nothing to have; else the exit code of the one that had it. @param dist the folder of this bundle */
export async function rerunWithCuda(dist: string, args: readonly string[] = process.argv.slice(2)): Promise<number | null> {
  const entry = path.join(dist, 'cli.cjs');
  const extra = cudaEnvironment({ storage: cacheFolder(), beside: entry });
  const wanted = extra['LD_LIBRARY_PATH'];
  if (wanted === undefined || wanted === process.env['LD_LIBRARY_PATH']) return null;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, entry, ...args], { stdio: 'inherit', env: { ...process.env, ...extra } });
    // A terminal's Ctrl+C reaches both: the child answers it, and a second one from here would cut it short.
    const ignore = (): void => undefined;
    process.on('SIGINT', process.stdin.isTTY ? ignore : () => child.kill('SIGINT'));
    for (const stop of ['SIGTERM', 'SIGHUP'] as const) process.on(stop, () => child.kill(stop));
    child.once('error', reject);
    child.once('close', (code, signal) => { resolve(code ?? 128 + os.constants.signals[signal ?? 'SIGKILL']); });
  });
}
