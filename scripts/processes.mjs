/**
 * Child processes of the set-up and test scripts: run one to its end, one set-up at a time, how long a step took.
 * Knows nothing of what is run.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs a command to its end and gives its standard output and error as one text.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, show?: boolean, timeoutMs?: number }} [options]
 *   `show`: its output goes straight to the terminal and the result is ''.
 * @returns {Promise<string>}
 * @throws {Error} with the end of the output, when it can't be started, fails or runs past `timeoutMs`
 */
export async function run(command, args, { cwd, env, show = false, timeoutMs } = {}) {
  const child = spawn(command, [...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    // On Windows npm is a .cmd file, which only a shell starts.
    shell: process.platform === 'win32' && command === 'npm',
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  }
  const line = [command, ...args].join(' ');
  /** @type {{ code: number | null, signal: string | null }} */
  const end = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`"${line}" could not be started: ${error.message}`, { cause: error })));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  if (end.code !== 0) {
    const why = end.signal === null ? `failed with exit code ${end.code}` : `was ended by ${end.signal}`;
    throw new Error([`"${line}" ${why}.`, ...output.trimEnd().split('\n').slice(-30)].join('\n'));
  }
  return output;
}

/**
 * Does `step` and says what it does and how long it took.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function timed(what, step) {
  console.log(`${what} …`);
  const start = performance.now();
  const result = await step();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * A download that fails once is tried again once.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} step
 * @param {number} [pauseMs]
 * @returns {Promise<T>}
 */
export async function twice(what, step, pauseMs = 3000) {
  try {
    return await step();
  } catch (error) {
    console.log(`${what} failed, trying once more. ${error instanceof Error ? error.message : String(error)}`);
    await delay(pauseMs);
    return await step();
  }
}

/**
 * Holds the lock `name` of this machine while `work` runs; a second process waits for its turn.
 * The lock is a socket in Linux' abstract name space: the kernel frees it however its owner ends.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function oneAtATime(name, work) {
  const server = createServer();
  for (let waited = 0; ; waited += 1) {
    const free = await new Promise((resolve, reject) => {
      server.once('listening', () => resolve(true));
      server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
      server.listen(`\0${name}`);
    });
    if (free) break;
    server.removeAllListeners();
    if (waited === 0) console.log('Another process does the same set-up, waiting for it …');
    await delay(500);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
