/**
 * The processes of this machine, by their command line: how a test finds the engine that its own VS Code started.
 * Linux only: reads /proc.
 */
import { readdir, readFile } from 'node:fs/promises';

export interface RunningProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** Processes whose command line has every one of the parts. A process that ends while this reads is left out. */
export async function findProcesses(...parts: readonly string[]): Promise<readonly RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      commandLine: await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        (text) => text.replaceAll('\0', ' ').trim(),
        () => '',
      ),
    })),
  );
  return all.filter(({ commandLine }) => parts.every((part) => commandLine.includes(part)));
}
