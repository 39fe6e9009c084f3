/**
 * Fetches the official Node as the program that runs the engine, for machines on which none of those that are there can.
 * Says size and source first; nothing is fetched unasked.
 */

import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import { formatBytes } from '../../host/downloads.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { shownSteps } from './downloadModel.ts';

export async function getNode(services: Services): Promise<void> {
  const { build, from, fetched } = services.officialNode;
  if (build === null) {
    throw new TahError('engine.not-starting', phrase('There is no Node to fetch for {0}-{1}.', process.platform, process.arch), { hint: phrase('Install Node 20 or newer and name it under thinkAtHard.nodePath.') });
  }
  if (fetched() === null) {
    const yes = vscode.l10n.t('Download');
    const detail = vscode.l10n.t('{0}, from {1}. It is kept in the storage of the extension and runs nothing but the engine.', formatBytes(build.archive.size), new URL(from()).host);
    if ((await vscode.window.showInformationMessage(vscode.l10n.t('Download Node {0} for the engine?', build.version), { modal: true, detail }, yes)) !== yes) return;
    const title = vscode.l10n.t('Downloading {0}', `Node ${build.version}`);
    await withCancellableProgress(title, (progress, signal) => services.officialNode.fetch({ onProgress: shownSteps(progress), signal }));
  }
  services.officialNode.use();
  void vscode.window.showInformationMessage(vscode.l10n.t('The engine can use Node {0} now. Solve again.', build.version));
}
