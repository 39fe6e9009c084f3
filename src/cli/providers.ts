/** `tah providers`: which provider of this machine a model runs on, and why not on the others; fetches what one needs. */
import { fetchCuda, removeCuda, type CudaFetch } from './cudaCommand.ts';
import { rerunWithCuda } from './cudaProcess.ts';
import { providerChooser, providerRecord } from './localEngine.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';
import { TahError } from '../protocol/errors.ts';

export interface ProvidersOptions extends CudaFetch {
  readonly model?: string;
  /** Forget what is known and test again. */
  readonly again: boolean;
  readonly fetch?: 'cuda';
  readonly remove?: 'cuda';
}

export async function providers(options: ProvidersOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (options.fetch !== undefined && options.remove !== undefined) throw new TahError('input.bad-option', '--fetch and --remove exclude each other.', { subject: '--remove' });
  if (options.remove !== undefined) {
    await removeCuda(terminal);
    return;
  }
  if (options.fetch !== undefined) {
    await fetchCuda(options, terminal, signal);
    if (terminal.json) return;
    // Tested at once, in a process that has the runtime.
    const code = await rerunWithCuda(import.meta.dirname, ['providers', ...(options.model === undefined ? [] : ['--model', options.model])]);
    if (code !== null) {
      process.exitCode = code;
      return;
    }
  }
  await list(options, terminal, signal);
}

async function list(options: ProvidersOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (options.again) providerRecord().forget();
  const model = await resolveModel(options.model, terminal, signal);
  const info = await providerChooser(terminal)(model, 'auto', signal);
  if (terminal.json) {
    terminal.document(info);
    return;
  }
  terminal.print(`${info.provider.padEnd(8)} used: ${info.reason}`);
  for (const { provider, reason } of info.rejected) terminal.print(`${provider.padEnd(8)} not used: ${reason}`);
}
