/**
 * Repairs a damaged model: finds what it was made from, downloads what of that is missing, and imports again into the
 * model's own place, which keeps what it has until the new one is whole. Where the source is gone, the user chooses a
 * checkpoint or deletes the model.
 */

import { basename } from 'node:path';
import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import { describeSource } from '../../host/downloads.ts';
import type { HubSource } from '../../host/downloads.ts';
import { readMadeFrom } from '../../host/madeFrom.ts';
import { errorText } from '../../host/errors.ts';
import type { MadeFrom } from '../../host/madeFrom.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { downloadWithToken } from './downloadModel.ts';
import { isImportOf, sizeOfCheckpoint } from './estimate.ts';
import { chooseCheckpointFolder, importCheckpoint, importInto, pickQuantization, releaseIfLoaded } from './importCheckpoint.ts';
import { reasonOf } from './pickItems.ts';

/** The hub no longer has the repository, or not for this user. */
const GONE: ReadonlySet<ErrorCode> = new Set(['hub.not-found', 'hub.not-a-checkpoint', 'hub.unauthorized', 'hub.forbidden']);

/** @param given the model's folder or a file of it; else the user picks one */
export async function repairModel(services: Services, given: unknown): Promise<void> {
  const dir = typeof given === 'string' ? await services.models.folderOf(given) : await pickModel(services);
  if (dir === undefined) return;
  if (services.models.sourceOf(dir) === 'bundled') throw await bundled(services, dir);
  const madeFrom = await readMadeFrom(dir);
  const before = madeFrom.hash;
  const source = await findCheckpoint(services, dir, madeFrom);
  if (source === undefined) return;
  const checkpoint = typeof source === 'string' ? source : await askForSource(services, dir, source.gone);
  if (checkpoint === undefined) return;
  // A folder that no import has made is not replaced: it may hold anything.
  if (!madeFrom.isImport) {
    await importCheckpoint(services, checkpoint);
    return;
  }
  const quantization = madeFrom.quantization ?? (await pickQuantization(await sizeOfCheckpoint(checkpoint), services.settings().quantization));
  if (quantization === undefined) return;
  const model = await importInto(services, { checkpoint, out: dir, quantization, name: madeFrom.name ?? basename(dir) });
  const same = before === null || before === model.hash;
  void vscode.window.showInformationMessage(same ? vscode.l10n.t('{0} is repaired.', model.name) : vscode.l10n.t('{0} is whole again, but other than before: its source or the importer has changed since.', model.name));
}

/** Damaged ones first; of the others only a run can tell, which reads all of their bytes. */
async function pickModel(services: Services): Promise<string | undefined> {
  const { models, broken } = await services.models.list();
  const damaged = broken.filter(({ error }) => error.code !== 'model.not-found').map(({ path, error }) => ({ label: `$(warning) ${basename(path)}`, description: vscode.l10n.t('damaged'), detail: reasonOf({ path, error }), path }));
  const others = models.filter(({ source }) => source !== 'bundled').map(({ path, name, quantization }) => ({ label: `$(blank) ${name}`, description: quantization, detail: vscode.l10n.t('Imports it again from what it was made from'), path }));
  if (damaged.length + others.length === 0) throw new TahError('model.not-found', phrase('There is no model to repair: none was imported.'), { hint: phrase('The bundled one is repaired by reinstalling the extension.') });
  return (await vscode.window.showQuickPick([...damaged, ...others], { title: vscode.l10n.t('Model to repair') }))?.path;
}

async function bundled({ models }: Services, dir: string): Promise<TahError> {
  const { broken } = await models.list();
  const found = broken.find(({ path }) => path === dir);
  return found?.error ?? new TahError('model.bundled-damaged', phrase('{0} belongs to the extension.', dir), { file: dir, hint: phrase('Reinstall Think-at-Hard, or choose another model.') });
}

/** The checkpoint, whole; why there is none; undefined where the user thought better of it. */
async function findCheckpoint(services: Services, dir: string, { checkpoint, badRecord, download }: MadeFrom): Promise<string | { readonly gone: string } | undefined> {
  if (checkpoint === null) {
    // An older version's import is known by the name of its folder.
    const known = (await services.downloads.list()).find((entry) => isImportOf(basename(dir), basename(entry.dir)));
    const gone = badRecord === null ? vscode.l10n.t('Nothing says what it was made from.') : errorText(badRecord);
    return known === undefined ? { gone } : bring(services, known.dir, known.source);
  }
  if (download !== null) return bring(services, checkpoint.path, download);
  return checkpoint.isThere ? checkpoint.path : { gone: vscode.l10n.t('It was made from {0}, which is gone.', checkpoint.path) };
}

/** The folder of the download where it is whole, else that of this extension after the rest has come. */
async function bring(services: Services, dir: string, source: HubSource): Promise<string | { readonly gone: string } | undefined> {
  const title = vscode.l10n.t('Checking the download of {0}', describeSource(source));
  if (await withCancellableProgress(title, (_, signal) => services.downloads.isWhole(dir, source, signal))) return dir;
  try {
    return await downloadWithToken(services, source, true);
  } catch (error) {
    if (error instanceof TahError && GONE.has(error.code)) return { gone: errorText(error) };
    throw error;
  }
}

/** A folder that the user chooses; undefined where the model was deleted instead, or nothing done. */
async function askForSource(services: Services, dir: string, gone: string): Promise<string | undefined> {
  const choose = vscode.l10n.t('Choose a Folder…');
  const remove = vscode.l10n.t('Delete the Model');
  const mayDelete = services.models.sourceOf(dir) === 'imported';
  const answer = await vscode.window.showWarningMessage(vscode.l10n.t('{0} can\'t be made again by itself.', basename(dir)), { modal: true, detail: gone }, choose, ...(mayDelete ? [remove] : []));
  if (answer === choose) return await chooseCheckpointFolder();
  if (answer === remove) {
    await releaseIfLoaded(services, dir);
    await services.models.remove(dir);
  }
  return undefined;
}
