/** The entries of the model list: what each says and what picking it, or one of its buttons, means. */

import { basename, sep } from 'node:path';
import * as vscode from 'vscode';
import { describeSource, formatBytes } from '../../host/downloads.ts';
import type { DownloadEntry, HubSource } from '../../host/downloads.ts';
import type { BrokenModel, ModelEntry, ModelSource } from '../../host/models.ts';
import type { ProviderChoice } from '../../protocol/engine.ts';
import { isDamage } from '../../protocol/errors.ts';
import type { TahError } from '../../protocol/errors.ts';
import { sayError } from '../../protocol/errorTexts.ts';
import type { CudaOffer } from '../../host/cudaRuntime.ts';
import { cudaRow } from './cudaRuntime.ts';
import { progressText } from './downloadModel.ts';

export type Choice =
  | { readonly kind: 'use'; readonly model: ModelEntry }
  | { readonly kind: 'import'; readonly dir: string; readonly name: string }
  | { readonly kind: 'import-folder' }
  | { readonly kind: 'download'; readonly source: HubSource; readonly ask: boolean }
  | { readonly kind: 'ask-repository' }
  | { readonly kind: 'cancel-download'; readonly dir: string }
  | { readonly kind: 'show'; readonly dir: string }
  | { readonly kind: 'delete'; readonly dir: string; readonly name: string; readonly what: 'model' | 'download' }
  | { readonly kind: 'repair'; readonly dir: string }
  /** Nothing can be done about it here but to say it. */
  | { readonly kind: 'tell'; readonly error: TahError }
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'provider' }
  | { readonly kind: 'cuda'; readonly action: 'fetch' | 'remove' }
  | { readonly kind: 'nothing' };

interface PickButton extends vscode.QuickInputButton {
  readonly choice: Choice;
}

export interface PickItem extends vscode.QuickPickItem {
  readonly choice: Choice;
  readonly buttons?: readonly PickButton[];
}

/** What pressing the button of an item means. */
export function buttonOf(item: PickItem, button: vscode.QuickInputButton): Choice {
  return item.buttons?.find((own) => own === button)?.choice ?? { kind: 'nothing' };
}

export function separator(label: string): PickItem {
  return { label, kind: vscode.QuickPickItemKind.Separator, choice: { kind: 'nothing' } };
}

export function modelItem(model: ModelEntry, current: boolean): PickItem {
  const size = model.parameters < 1e9 ? `${(model.parameters / 1e6).toFixed(1)} M` : `${(model.parameters / 1e9).toFixed(1)} B`;
  const remove = model.source === 'imported' ? [deleteButton(model.path, model.name, 'model')] : [];
  return {
    label: `${current ? '$(check)' : '$(blank)'} ${model.name}`,
    description: sourceText(model.source),
    detail: `${size} · ${model.quantization} · ${model.maxIter > 1 ? vscode.l10n.t('thinks twice where it is hard') : vscode.l10n.t('plain model: one pass a token')}`,
    choice: { kind: 'use', model },
    buttons: [showButton(model.path), ...remove],
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

export function downloadItem({ dir, source, state }: DownloadEntry, imported: readonly ModelEntry[]): PickItem {
  const name = describeSource(source);
  const buttons = [showButton(dir), deleteButton(dir, name, 'download')];
  switch (state.kind) {
    case 'running': {
      const detail = `${state.progress === null ? vscode.l10n.t('reading the list of files…') : progressText(state.progress)} · ${vscode.l10n.t('choose it to cancel')}`;
      return { label: `$(cloud-download) ${name}`, description: vscode.l10n.t('downloading'), detail, choice: { kind: 'cancel-download', dir }, buttons: [showButton(dir)] };
    }
    case 'elsewhere':
      return { label: `$(cloud-download) ${name}`, description: vscode.l10n.t('downloading in another window'), choice: { kind: 'nothing' }, buttons: [showButton(dir)] };
    case 'partial': {
      const detail = vscode.l10n.t('{0} of {1} are here; choose it to go on', formatBytes(state.doneBytes), formatBytes(state.totalBytes));
      return { label: `$(debug-continue) ${name}`, description: vscode.l10n.t('partly downloaded'), detail, choice: { kind: 'download', source, ask: false }, buttons };
    }
    case 'complete': {
      const description = imported.length === 0 ? vscode.l10n.t('downloaded, not imported yet') : vscode.l10n.t('downloaded, imported as {0}', imported.map(({ quantization }) => quantization).join(', '));
      const detail = imported.length === 0 ? vscode.l10n.t('{0}; choose it to import it', formatBytes(state.totalBytes)) : vscode.l10n.t('{0}; choose it to import it again', formatBytes(state.totalBytes));
      return { label: `$(package) ${name}`, description, detail, choice: { kind: 'import', dir, name }, buttons };
    }
    default:
      return state satisfies never;
  }
}

/** A folder that should be a model and can't be read. Only what this extension has made is deleted by it. */
export function brokenItem({ path, source, error }: BrokenModel): PickItem {
  const mayRepair = source !== 'bundled' && isDamage(error.code);
  const choice: Choice = mayRepair ? { kind: 'repair', dir: path } : { kind: 'tell', error };
  const repair: PickButton = { iconPath: new vscode.ThemeIcon('tools'), tooltip: vscode.l10n.t('Repair…'), choice };
  const buttons = [...(mayRepair ? [repair] : []), showButton(path), ...(source === 'imported' ? [deleteButton(path, basename(path), 'model')] : [])];
  return { label: `$(warning) ${basename(path)}`, description: vscode.l10n.t('damaged'), detail: reasonOf({ path, error }), choice, buttons };
}

/** Why it can't be read, without the path, which would leave no room for it in a row. */
export function reasonOf({ path, error }: Pick<BrokenModel, 'path' | 'error'>): string {
  const { sentence } = sayError(error, (text, ...values) => vscode.l10n.t(text, ...values));
  // What a code means in another language says nothing of the file.
  const whole = sentence === error.message || error.phrases.message !== null ? sentence : `${sentence} (${error.message})`;
  return whole.replaceAll(`${path}${sep}`, '').replaceAll(path, basename(path));
}

export function actionItems(suggested: readonly HubSource[]): PickItem[] {
  const suggestions: PickItem[] = suggested.map((source) => ({
    label: `$(cloud-download) ${describeSource(source)}`,
    description: new URL(source.hub).host,
    detail: vscode.l10n.t('A larger model by the authors of the method; its size is shown before the download starts'),
    choice: { kind: 'download', source, ask: true },
  }));
  return [
    ...suggestions,
    { label: `$(cloud-download) ${vscode.l10n.t('Download from the hub or a mirror…')}`, detail: vscode.l10n.t('Any repository with a Qwen3 or Llama model as safetensors'), choice: { kind: 'ask-repository' } },
    { label: `$(folder-opened) ${vscode.l10n.t('Import a checkpoint folder…')}`, detail: vscode.l10n.t('A folder as downloaded from a model hub: config.json, safetensors, and the files of Think-at-Hard'), choice: { kind: 'import-folder' } },
  ];
}

/** Where the chosen model runs. @param endpoint the name of the one in use, null where the engine of this machine is */
export function placeItems(endpoint: string | null, provider: ProviderChoice): PickItem[] {
  const used = endpoint === null ? {} : { description: vscode.l10n.t('in use: {0}', endpoint) };
  return [
    { label: `$(circuit-board) ${vscode.l10n.t('Provider: {0}', provider)}`, detail: vscode.l10n.t('Processor or GPU of this machine'), choice: { kind: 'provider' } },
    { label: `${endpoint === null ? '$(plug)' : '$(check)'} ${vscode.l10n.t('Use an endpoint…')}`, detail: vscode.l10n.t('A server of the protocol of OpenAI: problems are sent there'), choice: { kind: 'endpoint' }, ...used },
  ];
}

/** The row of the CUDA runtime, where it has one. */
export function cudaItems(offer: CudaOffer | null): PickItem[] {
  if (offer === null) return [];
  const { action, ...shown } = cudaRow(offer);
  return [{ ...shown, choice: action === 'nothing' ? { kind: 'nothing' } : { kind: 'cuda', action } }];
}

function showButton(dir: string): PickButton {
  return { iconPath: new vscode.ThemeIcon('folder-opened'), tooltip: vscode.l10n.t('Show the folder'), choice: { kind: 'show', dir } };
}

function deleteButton(dir: string, name: string, what: 'model' | 'download'): PickButton {
  return { iconPath: new vscode.ThemeIcon('trash'), tooltip: vscode.l10n.t('Delete'), choice: { kind: 'delete', dir, name, what } };
}
