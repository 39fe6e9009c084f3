/** Whose a file of several processes is: this machine's name among those that share a disk, and whether a process lives. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** Eight hexadecimal digits. They tell machines apart, and nobody what they are called. */
export function thisHost(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

/** Whether a process of this id runs on this machine. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
