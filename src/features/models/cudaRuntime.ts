/** The row of the CUDA runtime in the model list: asks with the sizes, fetches with progress, has the providers tested again. */

import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import type { CudaOffer, CudaPlan } from '../../host/cudaRuntime.ts';
import { formatBytes } from '../../host/downloads.ts';
import type { Services } from '../../host/services.ts';
import { sayTold } from '../../protocol/reasons.ts';
import type { Told } from '../../protocol/reasons.ts';
import { shownSteps, unlessRefused } from './downloadModel.ts';

/** What a row says, and what choosing it does. */
export interface CudaRow {
  readonly label: string;
  readonly detail: string;
  readonly action: 'fetch' | 'remove' | 'nothing';
}

export function cudaRow(offer: CudaOffer): CudaRow {
  switch (offer.kind) {
    case 'fetch':
      return { label: `$(cloud-download) ${vscode.l10n.t('Fetch the CUDA runtime ({0})…', formatBytes(offer.downloadBytes))}`, detail: vscode.l10n.t("Libraries with which a model runs on the NVIDIA GPU of this machine"), action: 'fetch' };
    case 'continue':
      return { label: `$(debug-continue) ${vscode.l10n.t('Go on fetching the CUDA runtime…')}`, detail: vscode.l10n.t('{0} of {1} are here; choose it to go on', formatBytes(offer.doneBytes), formatBytes(offer.downloadBytes)), action: 'fetch' };
    case 'repair':
      return { label: `$(warning) ${vscode.l10n.t('Repair the CUDA runtime…')}`, detail: vscode.l10n.t('Damaged: {0}', offer.files.join(', ')), action: 'fetch' };
    case 'busy':
      return { label: `$(cloud-download) ${vscode.l10n.t('CUDA runtime')}`, detail: vscode.l10n.t('is being fetched'), action: 'nothing' };
    case 'there':
      return { label: `$(package) ${vscode.l10n.t('CUDA runtime')}`, detail: vscode.l10n.t('{0} on the disk; choose it to delete it', formatBytes(offer.unpackedBytes)), action: 'remove' };
    default:
      return offer satisfies never;
  }
}

export async function fetchCudaRuntime(services: Services): Promise<void> {
  const title = vscode.l10n.t('Fetching the CUDA runtime');
  const fetched = await unlessRefused(confirmPlan, (confirm) =>
    withCancellableProgress(title, async (progress, signal) => {
      await services.cuda.fetch({ confirm, onProgress: shownSteps(progress), signal });
      return true;
    }),
  );
  if (fetched === true) await testAgain(services);
}

export async function removeCudaRuntime(services: Services): Promise<void> {
  const yes = vscode.l10n.t('Delete');
  if ((await vscode.window.showWarningMessage(vscode.l10n.t('Delete {0} from the disk?', vscode.l10n.t('CUDA runtime')), { modal: true }, yes)) !== yes) return;
  await services.cuda.remove();
  await services.engine.restart();
}

async function confirmPlan({ downloadBytes, unpackedBytes, wheels, from }: CudaPlan): Promise<boolean> {
  const yes = vscode.l10n.t('Download');
  const detail = [
    vscode.l10n.t('{0} to download from {1}, {2} on the disk', formatBytes(downloadBytes), from, formatBytes(unpackedBytes)),
    ...wheels.map(({ what, size }) => `${what}: ${formatBytes(size)}`),
    vscode.l10n.t('By NVIDIA and Microsoft, under their licences.'),
  ].join('\n');
  return (await vscode.window.showInformationMessage(vscode.l10n.t('Fetch the CUDA runtime?'), { modal: true, detail }, yes)) === yes;
}

function inWords(said: Told): string {
  return sayTold(said, (text, ...values) => vscode.l10n.t(text, ...values));
}

/** A process that has the runtime tests the providers; what came of it is told. */
async function testAgain(services: Services): Promise<void> {
  const title = vscode.l10n.t('Testing the devices of this machine…');
  const { provider } = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, async () => {
    await services.engine.restart();
    const model = await services.models.resolve(null);
    return services.engine.load(model.path, 'auto');
  });
  const cuda = provider.rejected.find((other) => other.provider === 'cuda');
  const text = provider.provider === 'cuda' || cuda === undefined ? vscode.l10n.t('Runs on {0}: {1}', provider.provider, inWords(provider)) : vscode.l10n.t('Not on {0}: {1}', cuda.provider, inWords(cuda));
  void vscode.window.showInformationMessage(text);
}
