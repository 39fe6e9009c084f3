/**
 * Gets a Python that can train: the one that TAH_PYTHON names, else a virtual environment in .cache/training with what
 * training/requirements.txt lists. Idempotent: an environment of the same requirements is used as it is.
 * Knows nothing of what is trained.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime, run, timed, twice } from './processes.mjs';

const LEAST = [3, 11];
/** Counts up when the set-up below changes: an older environment is then made again. */
const SETUP_VERSION = '1';
/** Newest first where several are there; `python3` last, for it may be any of them. */
const CANDIDATES = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const requirements = join(root, 'training', 'requirements.txt');
const cache = join(root, '.cache', 'training');

/** Prints the version as [major, minor]; fails where an environment could not be made of it. */
const PROBE = 'import sys, json, venv, ensurepip; print(json.dumps(sys.version_info[:2]))';
/** Fails with a sentence that names what is missing or has another version. argv[1]: the requirements. */
const CHECK = `
import importlib.metadata as found, re, sys
wrong = []
for line in open(sys.argv[1]):
    name, _, wanted = line.strip().partition("==")
    if not name:
        continue
    try:
        there = found.version(name)
    except found.PackageNotFoundError:
        there = "missing"
    if re.sub(r"[+].*", "", there) != wanted:
        wrong.append(f"{name} {wanted} is needed, here is {there}")
if sys.version_info < (${LEAST.join(', ')}):
    wrong.append(f"Python ${LEAST.join('.')} is needed, here is {sys.version.split()[0]}")
print("; ".join(wrong))
sys.exit(1 if wrong else 0)
`;

/**
 * @param {string} command
 * @returns {Promise<readonly [number, number] | string | null>} the version of a Python, or why it won't do; null where there is none
 */
async function versionOf(command) {
  try {
    const [major = 0, minor = 0] = /** @type {number[]} */ (JSON.parse(await run(command, ['-c', PROBE], { timeoutMs: 60_000 })));
    return [major, minor];
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? null : lastLine(error);
  }
}

/**
 * What a failed Python says in the end: its own sentence.
 * @param {unknown} error
 */
function lastLine(error) {
  return (error instanceof Error ? error.message : String(error)).trimEnd().split('\n').at(-1) ?? '';
}

/**
 * @returns {Promise<string>} a Python that is new enough
 * @throws {Error} that says what was looked at and what to install
 */
async function findPython() {
  /** @type {string[]} */
  const seen = [];
  for (const command of CANDIDATES) {
    const version = await versionOf(command);
    if (version === null) continue;
    if (typeof version === 'string') {
      seen.push(`${command}: ${version}`);
      continue;
    }
    const [major, minor] = version;
    if (major > 3 || (major === 3 && minor >= (LEAST[1] ?? 0))) return command;
    seen.push(`${command} is ${major}.${minor}`);
  }
  throw new Error(
    [
      `The training needs Python ${LEAST.join('.')} or newer with venv and pip, and there is none.`,
      ...seen.map((line) => `  ${line}`),
      'Install one (Debian: python3 python3-venv), or name one that has the requirements of training/requirements.txt in TAH_PYTHON.',
    ].join('\n'),
  );
}

/** @returns {Promise<string>} the Python of the environment in .cache/training */
async function environment() {
  const folder = join(cache, 'venv');
  const python = process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const stamp = join(cache, 'ready');
  const text = await readFile(requirements, 'utf8');
  const wanted = createHash('sha256').update(`${SETUP_VERSION}\n${text}`).digest('hex');
  const ready = await access(python).then(() => readFile(stamp, 'utf8')).catch(() => '');
  if (ready === wanted) return python;

  await rm(stamp, { force: true });
  await rm(folder, { recursive: true, force: true });
  const base = await findPython();
  await run(base, ['-m', 'venv', folder]);
  const install = (/** @type {readonly string[]} */ what) => run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...what]);
  const torch = text.split('\n').filter((line) => line.startsWith('torch=='));
  // First and alone: of several builds the rest has to take this one.
  await twice('The installation of PyTorch', () => timed('Installing PyTorch', () => install(torch)));
  await twice('The installation of the training requirements', () => timed('Installing the training requirements', () => install(['-r', requirements])));
  await run(python, ['-c', CHECK, requirements]);
  await writeFile(stamp, wanted);
  return python;
}

/**
 * @returns {Promise<string>} path of a Python that has the training's requirements
 * @throws {Error} that says what is missing and how to install it
 */
export async function setUpTraining() {
  const named = process.env['TAH_PYTHON'];
  if (named !== undefined && named !== '') {
    try {
      await run(named, ['-c', CHECK, requirements], { timeoutMs: 60_000 });
    } catch (error) {
      throw new Error(`TAH_PYTHON is ${named}, which can't train: ${lastLine(error)}`, { cause: error });
    }
    return named;
  }
  await mkdir(cache, { recursive: true });
  return await oneAtATime(`think-at-hard:${cache}`, environment);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`${await setUpTraining()} can train.`);
