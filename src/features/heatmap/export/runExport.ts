/**
 * Exports a run to a file that the user names. Text formats are made here; a PNG is drawn by the page, which has a
 * browser, from the SVG; a run file is the business of "save run".
 */

import * as vscode from 'vscode';
import { showError } from '../../../host/errors.ts';
import type { Services } from '../../../host/services.ts';
import { phrase, TahError } from '../../../protocol/errors.ts';
import type { ExportFormat, HostMessage, Palette } from '../../../protocol/heatmap.ts';
import type { Run } from '../../../protocol/run.ts';
import { exportCsv } from './exportCsv.ts';
import { fileName } from './exportedRun.ts';
import { exportHtml } from './exportHtml.ts';
import { exportSvg } from './exportSvg.ts';

type FileFormat = Exclude<ExportFormat, 'json'>;

export class RunExport {
  /** Where the picture goes that the page is drawing, by run. */
  private readonly drawing = new Map<string, vscode.Uri>();

  constructor(private readonly services: Services, private readonly post: (message: HostMessage) => void) {}

  async start(run: Run, format: ExportFormat, palette: Palette): Promise<void> {
    try {
      if (format === 'json') await this.saveRunFile(run);
      else await this.save(run, format, palette);
    } catch (error) {
      void showError(this.services.log, error);
    }
  }

  /** The page has drawn the picture, or could not. */
  drawn(runId: string, png: string | null): void {
    const target = this.drawing.get(runId);
    if (target === undefined) return;
    this.drawing.delete(runId);
    const written = png === null ? Promise.reject(tooLarge()) : writeTo(target, Buffer.from(png, 'base64'));
    written.catch((error: unknown) => {
      void showError(this.services.log, error);
    });
  }

  /** A run of this window is saved by its command; that of a run file is already one. */
  private async saveRunFile(run: Run): Promise<void> {
    if (this.services.runs.get(run.id) !== null) {
      await vscode.commands.executeCommand('thinkAtHard.saveRun', run.id);
      return;
    }
    const target = await askForTarget(run, 'json');
    if (target !== undefined) await writeTo(target, (await import('../../../host/runFile.ts')).writeRunFile(run));
  }

  private async save(run: Run, format: FileFormat, palette: Palette): Promise<void> {
    const target = await askForTarget(run, format);
    if (target === undefined) return;
    switch (format) {
      case 'svg':
        return writeTo(target, Buffer.from(exportSvg(run, palette).svg));
      case 'html':
        return writeTo(target, Buffer.from(exportHtml(run, palette)));
      case 'csv':
        return writeTo(target, Buffer.from(exportCsv(run)));
      case 'png':
        this.drawing.set(run.id, target);
        this.post({ type: 'draw', runId: run.id, ...exportSvg(run, palette) });
        return;
      default:
        format satisfies never;
    }
  }
}

async function askForTarget(run: Run, format: ExportFormat): Promise<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const extension = format === 'json' ? 'tahrun.json' : format;
  const name = `${fileName(run.problem)}.${extension}`;
  return vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export the heatmap'),
    filters: { [format.toUpperCase()]: [extension] },
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
}

async function writeTo(target: vscode.Uri, bytes: Uint8Array): Promise<void> {
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (cause) {
    throw new TahError('input.bad-file', phrase('The export could not be written to {0}.', target.path), { file: target.path, hint: phrase('Check that the folder can be written to, or choose another one.'), cause });
  }
}

function tooLarge(): TahError {
  return new TahError('input.bad-option', phrase('The heatmap is too long for one PNG picture.'), { hint: phrase('Export it as SVG or HTML, which have no such limit.') });
}
