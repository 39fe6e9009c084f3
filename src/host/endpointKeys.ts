/**
 * API keys of endpoints, in VS Code's secret storage and nowhere else. A key belongs to a name and the server that it
 * was given for: an endpoint whose address changes to another server doesn't get it. Imports no `vscode` at run time.
 */

import type { SecretStorage } from 'vscode';
import type { Endpoint } from '../endpoint/address.ts';

type Secrets = Pick<SecretStorage, 'get' | 'store' | 'delete'>;

export class EndpointKeys {
  constructor(private readonly secrets: Secrets) {}

  async get(endpoint: Endpoint): Promise<string | null> {
    return (await this.secrets.get(secretOf(endpoint))) ?? null;
  }

  async set(endpoint: Endpoint, key: string): Promise<void> {
    await this.secrets.store(secretOf(endpoint), key);
  }

  async forget(endpoint: Endpoint): Promise<void> {
    await this.secrets.delete(secretOf(endpoint));
  }
}

function secretOf({ name, url }: Endpoint): string {
  return `thinkAtHard.endpointKey ${URL.canParse(url) ? new URL(url).origin : url} ${name}`;
}
