/** A notification with progress and Cancel, whose cancellation is the signal that the engine and the downloads know. */

import * as vscode from 'vscode';
import { abortOf } from './abort.ts';

export type Progress = vscode.Progress<{ message?: string; increment?: number }>;

/** Shows it until `work` has ended. @throws what `work` throws */
export async function withCancellableProgress<T>(title: string, work: (progress: Progress, signal: AbortSignal) => Promise<T>): Promise<T> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (progress, token) => {
    const abort = abortOf(token);
    try {
      return await work(progress, abort.signal);
    } finally {
      abort.dispose();
    }
  });
}
