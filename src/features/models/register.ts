/** The commands about models: choose, unload, access tokens, log, diagnosis. Each is a few lines over the host's services. */

import * as vscode from 'vscode';
import { formatBytes, parseHubUrl } from '../../host/downloads.ts';
import { hasRemedy, registerCommand, showError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { TahError } from '../../protocol/errors.ts';
import { registerDiagnose } from './diagnose.ts';
import { getNode } from './getNode.ts';
import { askForToken } from './hubToken.ts';
import { selectModel } from './modelPicker.ts';
import { repairModel } from './repairModel.ts';

export function registerModels(services: Services): vscode.Disposable {
  const { log } = services;
  return vscode.Disposable.from(
    registerDiagnose(services),
    registerCommand(log, 'thinkAtHard.selectModel', () => selectModel(services)),
    registerCommand(log, 'thinkAtHard.repairModel', (file) => repairModel(services, file)),
    offerRemedies(services),
    registerCommand(log, 'thinkAtHard.unload', () => unload(services)),
    registerCommand(log, 'thinkAtHard.setHubToken', async () => {
      await askForToken(services, hubOf(services), null);
    }),
    registerCommand(log, 'thinkAtHard.forgetHubToken', async () => {
      const hub = hubOf(services);
      const { host } = new URL(hub);
      const had = await services.hubTokens.forget(hub);
      void vscode.window.showInformationMessage(had ? vscode.l10n.t('The access token of {0} was forgotten.', host) : vscode.l10n.t('There was no access token of {0}.', host));
    }),
    registerCommand(log, 'thinkAtHard.getNode', () => getNode(services)),
    registerCommand(log, 'thinkAtHard.showLog', () => {
      log.show();
    }),
  );
}

/** A run's page says why it failed; what helps against that is offered where every other failure's help is. */
function offerRemedies({ runs, log }: Services): vscode.Disposable {
  const watching = runs.onDidChange(({ change }) => {
    const error = change.type === 'end' && change.error !== null ? TahError.fromData(change.error) : null;
    if (error !== null && hasRemedy(error)) void showError(log, error);
  });
  return vscode.Disposable.from(watching);
}

function hubOf(services: Services): string {
  return parseHubUrl(services.settings().hubUrl);
}

async function unload(services: Services): Promise<void> {
  const before = await services.engine.status();
  // A run that is under way ends first.
  const title = vscode.l10n.t('Unloading the model…');
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => services.engine.unload());
  const after = await services.engine.status();
  services.status.refresh();
  const name = before.loaded?.model.name;
  const text =
    name === undefined
      ? vscode.l10n.t('No model was loaded.')
      : vscode.l10n.t('{0} was unloaded. The engine uses {1} of memory now; before it was {2}.', name, formatBytes(after.residentBytes), formatBytes(before.residentBytes));
  vscode.window.setStatusBarMessage(text, 10_000);
}
