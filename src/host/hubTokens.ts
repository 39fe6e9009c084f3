/**
 * Access tokens of hubs in VS Code's secret storage, one for each hub's origin, so that the token of one hub never goes
 * to another. A token is never logged or shown.
 */

import type * as vscode from 'vscode';

export class HubTokens {
  constructor(private readonly secrets: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>) {}

  async get(hub: string): Promise<string | null> {
    return (await this.secrets.get(keyOf(hub))) ?? null;
  }

  async set(hub: string, token: string): Promise<void> {
    await this.secrets.store(keyOf(hub), token);
  }

  /** True where there was one. */
  async forget(hub: string): Promise<boolean> {
    const had = (await this.get(hub)) !== null;
    await this.secrets.delete(keyOf(hub));
    return had;
  }
}

function keyOf(hub: string): string {
  return `thinkAtHard.hubToken:${new URL(hub).origin}`;
}

/** What is wrong with a text as a token, or null: it would become part of an HTTP header. */
export function tokenFault(text: string): 'empty' | 'characters' | null {
  if (text.trim() === '') return 'empty';
  return /[^\x21-\x7e]/.test(text.trim()) ? 'characters' : null;
}
