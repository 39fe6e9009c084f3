/**
 * Choose a model: a quick pick of what is there and in which state (bundled, imported, downloaded, on its way, broken),
 * and of the ways to get another one. What happens then is in the files beside this one.
 */

import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { DownloadEntry } from '../../host/downloads.ts';
import { parseHubUrl, parseSource } from '../../host/downloads.ts';
import { logError } from '../../host/errors.ts';
import type { ModelEntry } from '../../host/models.ts';
import type { Services } from '../../host/services.ts';
import { endpointName } from '../../protocol/engine.ts';
import { askForRepository, downloadAndImport, SUGGESTED } from './downloadModel.ts';
import { isImportOf } from './estimate.ts';
import { chooseProvider } from './chooseProvider.ts';
import { fetchCudaRuntime, removeCudaRuntime } from './cudaRuntime.ts';
import { chooseCheckpointFolder, importCheckpoint, releaseIfLoaded, useModel } from './importCheckpoint.ts';
import { actionItems, brokenItem, buttonOf, cudaItems, downloadItem, modelItem, placeItems, separator } from './pickItems.ts';
import type { Choice, PickItem } from './pickItems.ts';
import { repairModel } from './repairModel.ts';

const REFRESH_MS = 1000;

export async function selectModel(services: Services): Promise<void> {
  const choice = await pick(services);
  if (choice !== null) await act(services, choice);
}

/** What the user picked, or the button that was pressed; null where the list was left. */
async function pick(services: Services): Promise<Choice | null> {
  const list = vscode.window.createQuickPick<PickItem>();
  list.title = vscode.l10n.t('Model that solves');
  list.matchOnDescription = true;
  list.keepScrollPosition = true;
  list.busy = true;
  const { items, downloading } = await collect(services);
  list.items = items;
  list.busy = false;
  // Only a download under way changes while the list is open.
  const timer = downloading ? setInterval(() => { void refresh(services, list); }, REFRESH_MS) : null;
  try {
    return await new Promise<Choice | null>((resolve) => {
      list.onDidAccept(() => { resolve(list.selectedItems[0]?.choice ?? null); });
      list.onDidTriggerItemButton(({ item, button }) => { resolve(buttonOf(item, button)); });
      list.onDidHide(() => { resolve(null); });
      list.show();
    });
  } finally {
    if (timer !== null) clearInterval(timer);
    list.dispose();
  }
}

async function refresh(services: Services, list: vscode.QuickPick<PickItem>): Promise<void> {
  const active = list.activeItems[0]?.label;
  const { items } = await collect(services);
  list.items = items;
  list.activeItems = items.filter(({ label }) => label === active);
}

async function collect(services: Services): Promise<{ readonly items: readonly PickItem[]; readonly downloading: boolean }> {
  const [{ models, broken }, downloads, cuda] = await Promise.all([services.models.list(), services.downloads.list(), services.cuda.offer()]);
  for (const { error } of broken) logError(services.log, error);
  const current = services.settings().model;
  const isCurrent = (model: ModelEntry, i: number): boolean => (current === null ? i === 0 : current === model.path || current === model.id);
  const importedOf = (download: DownloadEntry): readonly ModelEntry[] => models.filter((model) => model.source === 'imported' && isImportOf(basename(model.path), basename(download.dir)));
  const hub = parseHubUrl(services.settings().hubUrl);
  const missing = SUGGESTED.map((name) => parseSource(name, hub)).filter((source) => !downloads.some((entry) => entry.dir === services.downloads.folderOf(source)));
  const items: PickItem[] = models.map((model, i) => modelItem(model, isCurrent(model, i)));
  if (downloads.length > 0) items.push(separator(vscode.l10n.t('downloads')), ...downloads.map((entry) => downloadItem(entry, importedOf(entry))));
  if (broken.length > 0) items.push(separator(vscode.l10n.t('cannot be used')), ...broken.map(brokenItem));
  items.push(separator(vscode.l10n.t('get another one')), ...actionItems(missing));
  items.push(separator(vscode.l10n.t('where it runs')), ...placeItems(current === null ? null : endpointName(current), services.settings().provider), ...cudaItems(cuda));
  return { items, downloading: downloads.some(({ state }) => state.kind === 'running' || state.kind === 'elsewhere') };
}

async function act(services: Services, choice: Choice): Promise<void> {
  switch (choice.kind) {
    case 'use':
      await useModel(choice.model);
      return;
    case 'import':
      await importCheckpoint(services, choice.dir, choice.name);
      return;
    case 'import-folder': {
      const folder = await chooseCheckpointFolder();
      if (folder !== undefined) await importCheckpoint(services, folder);
      return;
    }
    case 'download':
      await downloadAndImport(services, choice.source, choice.ask);
      return;
    case 'ask-repository': {
      const source = await askForRepository(services);
      if (source !== undefined) await downloadAndImport(services, source, true);
      return;
    }
    case 'cancel-download':
      services.downloads.cancel(choice.dir);
      return;
    case 'show':
      await showFolder(choice.dir);
      return;
    case 'delete':
      if (await confirmDelete(choice.name)) await removeFolder(services, choice);
      await selectModel(services);
      return;
    case 'repair':
      await repairModel(services, choice.dir);
      return;
    case 'tell':
      throw choice.error;
    case 'endpoint':
      await vscode.commands.executeCommand('thinkAtHard.selectEndpoint');
      return;
    case 'provider':
      await chooseProvider(services);
      return;
    case 'cuda':
      await (choice.action === 'fetch' ? fetchCudaRuntime(services) : removeCudaRuntime(services));
      return;
    case 'nothing':
      return;
    default:
      choice satisfies never;
  }
}

async function removeFolder(services: Services, { dir, what }: Extract<Choice, { kind: 'delete' }>): Promise<void> {
  if (what === 'download') {
    await services.downloads.remove(dir);
    return;
  }
  await releaseIfLoaded(services, dir);
  await services.models.remove(dir);
}

async function confirmDelete(name: string): Promise<boolean> {
  const yes = vscode.l10n.t('Delete');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('Delete {0} from the disk?', name), { modal: true }, yes)) === yes;
}

/** In the system's file manager, where the files are on the user's own machine. */
async function showFolder(dir: string): Promise<void> {
  if (vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop) {
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(dir));
    return;
  }
  await vscode.env.clipboard.writeText(dir);
  void vscode.window.showInformationMessage(vscode.l10n.t('The folder is on the remote machine; its path is in the clipboard: {0}', dir));
}
