/**
 * Choose a model: a quick pick of what is there, and the import of a checkpoint folder with progress and cancel.
 * Also unloads. Knows the importer only by its contract.
 */

import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { logError, registerCommand } from '../../host/errors.ts';
import type { ModelEntry, ModelSource } from '../../host/models.ts';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import { TahError } from '../../protocol/errors.ts';
import type { ImportEvent } from '../../protocol/importer.ts';
import type { Quantization } from '../../protocol/manifest.ts';

export function registerModels(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    registerCommand(services.log, 'thinkAtHard.selectModel', () => selectModel(services)),
    registerCommand(services.log, 'thinkAtHard.unload', async () => {
      const before = await services.engine.status();
      // A run that is under way ends first.
      const title = vscode.l10n.t('Unloading the model…');
      await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => services.engine.unload());
      const name = before.loaded?.model.name;
      vscode.window.setStatusBarMessage(name === undefined ? vscode.l10n.t('No model was loaded.') : vscode.l10n.t('{0} was unloaded.', name), 5000);
    }),
    registerCommand(services.log, 'thinkAtHard.showLog', () => {
      services.log.show();
    }),
  );
}

interface ModelItem extends vscode.QuickPickItem {
  readonly choice: { readonly kind: 'model'; readonly model: ModelEntry } | { readonly kind: 'import' } | { readonly kind: 'separator' };
}

async function selectModel(services: Services): Promise<void> {
  const { models, broken } = await services.models.list();
  for (const error of broken) logError(services.log, error);
  const current = services.settings().model;
  const items: ModelItem[] = models.map((model, i) => modelItem(model, current === null ? i === 0 : current === model.path || current === model.id));
  if (broken.length > 0) items.push({ label: vscode.l10n.t('{0} could not be read: see the log', broken.length), kind: vscode.QuickPickItemKind.Separator, choice: { kind: 'separator' } });
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator, choice: { kind: 'separator' } });
  items.push({ label: `$(folder-opened) ${vscode.l10n.t('Import a checkpoint folder…')}`, detail: vscode.l10n.t('A folder as downloaded from a model hub: config.json, safetensors, and the files of Think-at-Hard'), choice: { kind: 'import' } });
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Model that solves'), matchOnDescription: true });
  if (picked === undefined || picked.choice.kind === 'separator') return;
  if (picked.choice.kind === 'model') await useModel(picked.choice.model);
  else await importModel(services);
}

function modelItem(model: ModelEntry, current: boolean): ModelItem {
  const size = model.parameters < 1e9 ? `${(model.parameters / 1e6).toFixed(1)} M` : `${(model.parameters / 1e9).toFixed(1)} B`;
  return {
    label: `${current ? '$(check)' : '$(blank)'} ${model.name}`,
    description: sourceText(model.source),
    detail: `${size} · ${model.quantization} · ${model.maxIter > 1 ? vscode.l10n.t('thinks twice where it is hard') : vscode.l10n.t('plain model: one pass a token')}`,
    choice: { kind: 'model', model },
  };
}

function sourceText(source: ModelSource): string {
  switch (source) {
    case 'bundled':
      return vscode.l10n.t('bundled');
    case 'imported':
      return vscode.l10n.t('imported');
    case 'folder':
      return vscode.l10n.t('folder');
    default:
      return source satisfies never;
  }
}

/** A bundled model is named by id, so that the setting stays right when the extension is updated. */
async function useModel(model: ModelEntry): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update('model', model.source === 'bundled' ? model.id : model.path, vscode.ConfigurationTarget.Global);
}

async function importModel(services: Services): Promise<void> {
  const [folder] = (await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, openLabel: vscode.l10n.t('Import'), title: vscode.l10n.t('Checkpoint folder') })) ?? [];
  if (folder === undefined) return;
  const quantization = await pickQuantization();
  if (quantization === undefined) return;
  const name = basename(folder.fsPath);
  const out = join(services.models.importFolder, `${name.replace(/[^\w.-]+/g, '-')}-${quantization}`);
  const replace = await mayReplace(services, out, name);
  if (!replace) return;
  await vscode.workspace.fs.createDirectory(vscode.Uri.file(services.models.importFolder));
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Importing {0}', name), cancellable: true },
    async (progress, token) => {
      const abort = new AbortController();
      const subscription = token.onCancellationRequested(() => {
        abort.abort();
      });
      try {
        const events = services.engine.import({ checkpoint: folder.fsPath, out, quantization, name, replace: true }, abort.signal);
        await showImport(events, progress);
      } finally {
        subscription.dispose();
      }
    },
  );
  await useModel(await services.models.resolve(out));
}

async function showImport(events: AsyncIterable<ImportEvent>, progress: vscode.Progress<{ message?: string; increment?: number }>): Promise<void> {
  let shown = 0;
  for await (const event of events) {
    if (event.type === 'done') return;
    const percent = Math.floor((100 * event.doneBytes) / Math.max(1, event.totalBytes));
    progress.report({ message: `${stageText(event.stage)} ${percent} %`, increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  }
  throw new TahError('internal', 'The import ended without saying that it is done.');
}

function stageText(stage: Extract<ImportEvent, { type: 'progress' }>['stage']): string {
  switch (stage) {
    case 'check':
      return vscode.l10n.t('Checking the checkpoint:');
    case 'weights':
      return vscode.l10n.t('Converting weights:');
    case 'files':
      return vscode.l10n.t('Writing files:');
    default:
      return stage satisfies never;
  }
}

async function pickQuantization(): Promise<Quantization | undefined> {
  const items: (vscode.QuickPickItem & { readonly value: Quantization })[] = [
    { label: 'int4', value: 'int4', description: vscode.l10n.t('smallest and fastest; for large models') },
    { label: 'int8', value: 'int8', description: vscode.l10n.t('close to the original') },
    { label: 'fp32', value: 'fp32', description: vscode.l10n.t('exact; four bytes a parameter') },
  ];
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Precision of the weights') }))?.value;
}

/** True where nothing is there yet, or the user wants it replaced. */
async function mayReplace(services: Services, out: string, name: string): Promise<boolean> {
  const { models } = await services.models.list();
  if (!models.some((model) => model.path === out)) return true;
  const replace = vscode.l10n.t('Replace');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('{0} has been imported before.', name), { modal: true }, replace)) === replace;
}
