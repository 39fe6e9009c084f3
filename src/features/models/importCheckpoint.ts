/**
 * Makes a model of a checkpoint folder: asks for the precision, with what each one needs, imports with progress and
 * cancel, and chooses the new model. Knows the importer only by its contract.
 */

import { totalmem } from 'node:os';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import type { Progress } from '../../host/cancellableProgress.ts';
import { formatBytes } from '../../host/downloads.ts';
import type { ModelEntry } from '../../host/models.ts';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import { TahError } from '../../protocol/errors.ts';
import type { ImportEvent, ImportRequest } from '../../protocol/importer.ts';
import type { Quantization } from '../../protocol/manifest.ts';
import { estimate, importFolderName, sizeOfCheckpoint } from './estimate.ts';
import type { CheckpointSize } from './estimate.ts';

/** A bundled model is named by id, so that the setting stays right when the extension is updated. */
export async function useModel(model: ModelEntry): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update('model', model.source === 'bundled' ? model.id : model.path, vscode.ConfigurationTarget.Global);
}

export async function chooseCheckpointFolder(): Promise<string | undefined> {
  const [folder] = (await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, openLabel: vscode.l10n.t('Import'), title: vscode.l10n.t('Checkpoint folder') })) ?? [];
  return folder?.fsPath;
}

/**
 * The imported model, chosen; undefined where the user thought better of it.
 * @param name how the model is called; a download's folder is named by hub and revision too
 */
export async function importCheckpoint(services: Services, checkpoint: string, name = basename(checkpoint)): Promise<ModelEntry | undefined> {
  const quantization = await pickQuantization(await sizeOfCheckpoint(checkpoint), services.settings().quantization);
  if (quantization === undefined) return undefined;
  const out = join(services.models.importFolder, importFolderName(basename(checkpoint), quantization));
  if (!(await mayReplace(services, out, name))) return undefined;
  const model = await importInto(services, { checkpoint, out, quantization, name });
  await useModel(model);
  return model;
}

/** Imports with progress; what was there stays until the new model is whole. What it was made from is kept in it. */
export async function importInto(services: Services, { checkpoint, out, quantization, name }: Required<Pick<ImportRequest, 'checkpoint' | 'out' | 'quantization' | 'name'>>): Promise<ModelEntry> {
  await releaseIfLoaded(services, out);
  await vscode.workspace.fs.createDirectory(vscode.Uri.file(services.models.importFolder));
  const request: ImportRequest = { checkpoint, out, quantization, name, replace: true, record: { download: await services.downloads.sourceOf(checkpoint) } };
  await withCancellableProgress(vscode.l10n.t('Importing {0}', name), (progress, signal) => showImport(services.engine.import(request, signal), progress));
  return await services.models.resolve(out);
}

/** A model whose files are to go away is not kept loaded. */
export async function releaseIfLoaded(services: Services, folder: string): Promise<void> {
  const { loaded } = await services.engine.status();
  if (loaded?.model.path === folder) await services.engine.unload();
}

async function showImport(events: AsyncIterable<ImportEvent>, progress: Progress): Promise<void> {
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

/** The one of the settings stands first. */
export async function pickQuantization(size: CheckpointSize | null, preferred: Quantization): Promise<Quantization | undefined> {
  const items = (['int4', 'int8', 'fp32'] as const)
    .toSorted((a, b) => Number(b === preferred) - Number(a === preferred))
    .map((value) => ({ label: value, value, description: quantizationText(value), detail: size === null ? '' : needText(size, value) }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Precision of the weights'), matchOnDescription: true }))?.value;
}

function quantizationText(quantization: Quantization): string {
  switch (quantization) {
    case 'int4':
      return vscode.l10n.t('smallest and fastest; for large models');
    case 'int8':
      return vscode.l10n.t('close to the original');
    case 'fp32':
      return vscode.l10n.t('exact; four bytes a parameter');
    default:
      return quantization satisfies never;
  }
}

function needText(size: CheckpointSize, quantization: Quantization): string {
  const { diskBytes, memoryBytes } = estimate(size, quantization);
  const text = vscode.l10n.t('about {0} on the disk and {1} of memory; this machine has {2}', formatBytes(diskBytes), formatBytes(memoryBytes), formatBytes(totalmem()));
  return memoryBytes > totalmem() ? `$(warning) ${text}` : text;
}

/** True where nothing is there yet, or the user wants it replaced. */
async function mayReplace(services: Services, out: string, name: string): Promise<boolean> {
  const { models } = await services.models.list();
  if (!models.some((model) => model.path === out)) return true;
  const replace = vscode.l10n.t('Replace');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('{0} has been imported before.', name), { modal: true }, replace)) === replace;
}
