/** Choose the device that runs the model: a quick pick over the values of the setting. What a device can do is tested by the engine. */

import * as vscode from 'vscode';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import type { ProviderChoice } from '../../protocol/engine.ts';

/** The values of the setting `thinkAtHard.provider`. */
type Offered = Exclude<ProviderChoice, 'coreml'>;

export async function chooseProvider(services: Services): Promise<void> {
  const current = services.settings().provider;
  const items = Object.entries(providerTexts()).map(([provider, detail]) => ({ label: `${provider === current ? '$(check)' : '$(blank)'} ${provider}`, detail, provider }));
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Device that runs the model'), matchOnDetail: true });
  if (picked === undefined) return;
  await vscode.workspace.getConfiguration(SECTION).update('provider', picked.provider, vscode.ConfigurationTarget.Global);
}

function providerTexts(): Readonly<Record<Offered, string>> {
  return {
    auto: vscode.l10n.t('The fastest one that works; the status bar says which and why'),
    cpu: vscode.l10n.t('Processor'),
    cuda: vscode.l10n.t('NVIDIA GPU (Linux, CUDA libraries needed)'),
    dml: vscode.l10n.t('GPU through DirectML (Windows)'),
    webgpu: vscode.l10n.t('GPU through WebGPU'),
  };
}
