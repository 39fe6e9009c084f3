/** `tah providers`: which provider of this machine a model runs on, and why not on the others. */
import type { Terminal } from './terminal.ts';
import { providerChooser, providerRecord } from './localEngine.ts';
import { resolveModel } from './models.ts';

export interface ProvidersOptions {
  readonly model?: string;
  /** Forget what is known and test again. */
  readonly again: boolean;
}

export async function providers(options: ProvidersOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
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
