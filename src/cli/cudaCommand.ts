/**
 * `tah providers --fetch cuda` and `--remove cuda`: the libraries that ONNX Runtime's CUDA provider needs, with a
 * question first. What they are and how they come is src/hub.
 */
import { createInterface } from 'node:readline/promises';
import { cacheFolder } from '../engine/providers/record.ts';
import { cudaIsPossible, hasNvidiaDriver } from '../hub/cudaEnvironment.ts';
import { cudaRoot, cudaState, fetchCudaRuntime, removeCudaRuntime, type CudaPlan, type CudaState } from '../hub/cudaRuntime.ts';
import { CUDA_TABLE, PYPI_FILES } from '../hub/cudaTable.ts';
import { formatBytes, formatDuration } from '../hub/progress.ts';
import { parseHubUrl } from '../hub/source.ts';
import { TahError } from '../protocol/errors.ts';
import { cancelled } from '../protocol/streams.ts';
import { progressText } from './download.ts';
import { withProxyFetch } from './proxyFetch.ts';
import type { Terminal } from './terminal.ts';

export interface CudaFetch {
  readonly yes: boolean;
  readonly mirror?: string;
}

const MIRROR_VARIABLE = 'TAH_CUDA_MIRROR';
const NO_DRIVER = "NVIDIA's driver (580 or newer) is not installed here: CUDA runs only when it is.";

/** @throws TahError hub.*, input.bad-option, engine.provider-unavailable where CUDA can't be; cancelled */
export async function fetchCuda(options: CudaFetch, terminal: Terminal, signal: AbortSignal): Promise<void> {
  refuseElsewhere();
  const mirror = options.mirror ?? process.env[MIRROR_VARIABLE];
  const base = mirror === undefined || mirror === '' ? PYPI_FILES : parseHubUrl(mirror, options.mirror === undefined ? MIRROR_VARIABLE : '--mirror');
  const progress = terminal.progress();
  const started = performance.now();
  const confirm = (plan: CudaPlan): Promise<boolean> => (options.yes ? Promise.resolve(true) : ask(plan, terminal, signal));
  try {
    const fetched = await withProxyFetch((by) => fetchCudaRuntime(cacheFolder(), { fetch: by, base, confirm, signal, onProgress: (step) => { progress.show(progressText(step)); } }));
    progress.done();
    const seconds = (performance.now() - started) / 1000;
    if (terminal.json) {
      terminal.document({ runtime: 'cuda', ...fetched, seconds });
      return;
    }
    if (fetched.wasThere) terminal.print(`${fetched.dir}: is there already, hashes checked`);
    else terminal.print(`${fetched.dir}: the CUDA runtime of ONNX Runtime ${CUDA_TABLE.onnxRuntime}, ${formatBytes(fetched.receivedBytes)} received in ${formatDuration(seconds)}, hashes checked`);
    if (!hasNvidiaDriver()) terminal.print(NO_DRIVER);
  } finally {
    progress.done();
  }
}

export async function removeCuda(terminal: Terminal): Promise<void> {
  const removed = await removeCudaRuntime(cacheFolder());
  if (terminal.json) terminal.document({ runtime: 'cuda', removed });
  else terminal.print(removed ? `${cudaRoot(cacheFolder())}: deleted` : 'There is no CUDA runtime that was fetched.');
}

/** One line for `tah diagnose`. Compares hashes, which takes some seconds where one is there. */
export async function cudaLine(signal: AbortSignal): Promise<string> {
  if (!cudaIsPossible()) return `not for ${process.platform}-${process.arch}`;
  const driver = hasNvidiaDriver() ? "NVIDIA's driver is installed" : "no driver of NVIDIA's";
  return `${stateText(await cudaState(cacheFolder(), { thorough: true, signal }))}; ${driver}`;
}

function stateText(state: CudaState): string {
  switch (state.kind) {
    case 'absent':
      return 'not fetched';
    case 'partial':
      return 'fetched in part: tah providers --fetch cuda goes on';
    case 'busy':
      return 'is being fetched';
    case 'complete':
      return `fetched for ONNX Runtime ${CUDA_TABLE.onnxRuntime}, hashes checked`;
    case 'damaged':
      return `damaged (${state.files.join(', ')}): tah providers --fetch cuda repairs it`;
    default:
      return state satisfies never;
  }
}

function refuseElsewhere(): void {
  if (cudaIsPossible()) return;
  throw new TahError('engine.provider-unavailable', `ONNX Runtime has no CUDA for Node on ${process.platform}-${process.arch}: only on Linux x64.`, { subject: 'cuda', hint: 'Choose "auto": WebGPU and, on Windows, DirectML run on such a card too.' });
}

async function ask(plan: CudaPlan, terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  if (terminal.json || !process.stdin.isTTY) {
    throw new TahError('input.bad-option', `The CUDA runtime is ${formatBytes(plan.downloadBytes)} to download, and nobody can be asked here.`, { subject: '--yes', hint: 'Add --yes to fetch it.' });
  }
  terminal.print(`The CUDA runtime of ONNX Runtime ${CUDA_TABLE.onnxRuntime}, from ${plan.from}:`);
  for (const { what, size } of plan.wheels) terminal.print(`  ${what.padEnd(40)} ${formatBytes(size).padStart(8)}`);
  terminal.print(`${formatBytes(plan.downloadBytes)} to download, ${formatBytes(plan.unpackedBytes)} in ${cudaRoot(cacheFolder())}; by NVIDIA and Microsoft, under their licences.`);
  if (!hasNvidiaDriver()) terminal.print(NO_DRIVER);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question('Fetch it? [y/N] ', { signal })).trim());
  } catch (error) {
    if (signal.aborted) throw cancelled();
    throw error;
  } finally {
    lines.close();
  }
}
