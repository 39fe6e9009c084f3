/**
 * Downloads a checkpoint with what a user sees of it: the repository that is asked for, the size before the first byte,
 * progress with speed and time left, an access token where the hub wants one, and the import afterwards.
 */

import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import type { Progress } from '../../host/cancellableProgress.ts';
import { describeSource, formatBytes, formatDuration, parseHubUrl, parseSource } from '../../host/downloads.ts';
import type { DownloadPlan, DownloadProgress, HubSource } from '../../host/downloads.ts';
import { errorText } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { TahError } from '../../protocol/errors.ts';
import { askForToken } from './hubToken.ts';
import { importCheckpoint } from './importCheckpoint.ts';

/** Checkpoints of the method's authors. */
export const SUGGESTED: readonly string[] = ['nics-efc/TaH-plus-1.7B'];

export async function askForRepository(services: Services): Promise<HubSource | undefined> {
  const hub = parseHubUrl(services.settings().hubUrl);
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Download from {0}', new URL(hub).host),
    prompt: vscode.l10n.t('A repository as owner/name, owner/name@revision, or the address of its page. A mirror is chosen by the setting thinkAtHard.hubUrl.'),
    placeHolder: SUGGESTED[0] ?? '',
    ignoreFocusOut: true,
    validateInput: (value) => {
      try {
        if (value.trim() !== '') parseSource(value, hub);
        return null;
      } catch (error) {
        return TahError.from(error).message;
      }
    },
  });
  return text === undefined || text.trim() === '' ? undefined : parseSource(text, hub);
}

/** Downloads, or goes on with a download, and imports. @param ask whether the size is confirmed first */
export async function downloadAndImport(services: Services, source: HubSource, ask: boolean): Promise<void> {
  const dir = await downloadWithToken(services, source, ask);
  if (dir === undefined) return;
  const model = await importCheckpoint(services, dir, describeSource(source));
  if (model === undefined) return;
  const remove = vscode.l10n.t('Delete the Download');
  const text = vscode.l10n.t('{0} is ready. Its download is needed only to import it again, with another precision or because it was damaged.', model.name);
  if ((await vscode.window.showInformationMessage(text, remove)) === remove) await services.downloads.remove(dir);
}

/** The folder of the whole checkpoint; undefined where the user has refused the size or the token. */
export async function downloadWithToken(services: Services, source: HubSource, ask: boolean): Promise<string | undefined> {
  for (;;) {
    try {
      return await download(services, source, ask);
    } catch (error) {
      if (!(error instanceof TahError) || (error.code !== 'hub.unauthorized' && error.code !== 'hub.forbidden')) throw error;
      if (!(await askForToken(services, source.hub, errorText(error)))) throw error;
    }
  }
}

async function download(services: Services, source: HubSource, ask: boolean): Promise<string | undefined> {
  const token = await services.hubTokens.get(source.hub);
  const confirm = (plan: DownloadPlan): Promise<boolean> => (ask ? confirmSize(plan) : Promise.resolve(true));
  const title = vscode.l10n.t('Downloading {0}', describeSource(source));
  return unlessRefused(confirm, (asked) =>
    withCancellableProgress(title, async (progress, signal) => {
      const { dir } = await services.downloads.start(source, { token, confirm: asked, onProgress: shownSteps(progress), signal });
      return dir;
    }),
  );
}

/** What `work` gives; undefined where the user has refused what was planned, which `work` ends with. @param confirm asks the user */
export async function unlessRefused<Plan, T>(confirm: (plan: Plan) => Promise<boolean>, work: (confirm: (plan: Plan) => Promise<boolean>) => Promise<T>): Promise<T | undefined> {
  let refused = false as boolean;
  try {
    return await work(async (plan) => {
      refused = !(await confirm(plan));
      return !refused;
    });
  } catch (error) {
    if (refused) return undefined;
    throw error;
  }
}

async function confirmSize({ source, totalBytes, files, thinksTwice }: DownloadPlan): Promise<boolean> {
  const yes = vscode.l10n.t('Download');
  const detail = [
    vscode.l10n.t('{0} files, {1}, from {2}', files.length, formatBytes(totalBytes), new URL(source.hub).host),
    thinksTwice ? vscode.l10n.t('thinks twice where it is hard') : vscode.l10n.t('plain model: one pass a token'),
  ].join('\n');
  return (await vscode.window.showInformationMessage(vscode.l10n.t('Download {0}?', describeSource(source)), { modal: true, detail }, yes)) === yes;
}

/** Shows each step of a download as progress. */
export function shownSteps(progress: Progress): (step: DownloadProgress) => void {
  let shown = 0;
  return (step) => {
    const percent = step.totalBytes === 0 ? 0 : (100 * step.doneBytes) / step.totalBytes;
    progress.report({ message: progressText(step), increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}

/** How far a download is, in one line. */
export function progressText({ stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft, waiting }: DownloadProgress): string {
  if (waiting !== null) return vscode.l10n.t('trying again in {0}: {1}', formatDuration(waiting.ms / 1000), waiting.reason);
  if (stage === 'listing') return vscode.l10n.t('reading the list of files…');
  if (stage === 'unpacking') return vscode.l10n.t('unpacking…');
  const parts = [vscode.l10n.t('{0} of {1}', formatBytes(doneBytes), formatBytes(totalBytes))];
  if (bytesPerSecond !== null) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (secondsLeft !== null) parts.push(vscode.l10n.t('{0} left', formatDuration(secondsLeft)));
  return parts.join(' · ');
}
