/** VS Code's cancellation as the signal that the engine's contract speaks of. Needs no `vscode` at run time. */

import type { CancellationToken } from 'vscode';

export interface Abort {
  readonly signal: AbortSignal;
  dispose(): void;
}

export function abortOf(token: CancellationToken): Abort {
  const controller = new AbortController();
  const subscription = token.onCancellationRequested(() => {
    controller.abort();
  });
  if (token.isCancellationRequested) controller.abort();
  return {
    signal: controller.signal,
    dispose: () => {
      subscription.dispose();
    },
  };
}
