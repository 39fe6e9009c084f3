/**
 * Endpoints for those who outgrow their machine: choose one (and be told that the text leaves the machine), add one,
 * set and forget its API key. Knows how they are asked for; what an endpoint can do is src/endpoint.
 */

import * as vscode from 'vscode';
import { readAddress } from '../../endpoint/address.ts';
import type { Endpoint } from '../../endpoint/address.ts';
import { registerCommand } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import { endpointReference } from '../../protocol/engine.ts';
import { phrase, TahError } from '../../protocol/errors.ts';

export function registerEndpoints(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    registerCommand(services.log, 'thinkAtHard.selectEndpoint', () => selectEndpoint(services)),
    registerCommand(services.log, 'thinkAtHard.setEndpointKey', async () => {
      const endpoint = await pick(services, vscode.l10n.t('Endpoint whose API key is set'));
      if (endpoint !== null) await askForKey(services, endpoint);
    }),
    registerCommand(services.log, 'thinkAtHard.forgetEndpointKey', async () => {
      const endpoint = await pick(services, vscode.l10n.t('Endpoint whose API key is forgotten'));
      if (endpoint === null) return;
      await services.endpointKeys.forget(endpoint);
      vscode.window.setStatusBarMessage(vscode.l10n.t('The API key of {0} is forgotten.', endpoint.name), 5000);
    }),
  );
}

async function selectEndpoint(services: Services): Promise<void> {
  const { endpoints } = services.settings();
  const add = { label: `$(add) ${vscode.l10n.t('Add an endpoint…')}`, endpoint: null };
  const items = [...endpoints.map(itemOf), add];
  const picked = endpoints.length === 0 ? add : await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Endpoint that solves'), matchOnDescription: true });
  if (picked === undefined) return;
  const endpoint = picked.endpoint ?? (await addEndpoint(services));
  if (endpoint === null || !(await agrees(endpoint))) return;
  await vscode.workspace.getConfiguration(SECTION).update('model', endpointReference(endpoint.name), vscode.ConfigurationTarget.Global);
}

/** Said plainly and before the first text: it leaves this machine's own engine. */
async function agrees(endpoint: Endpoint): Promise<boolean> {
  const { host, loopback, encrypted } = readAddress(endpoint.url);
  const use = vscode.l10n.t('Use It');
  const where = loopback
    ? vscode.l10n.t('It is a server on this machine; what it does with the text is up to it.')
    : encrypted
      ? vscode.l10n.t('The text leaves this machine, over an encrypted connection. Who runs the server can read it.')
      : vscode.l10n.t('The text leaves this machine, and the connection is not encrypted: everyone on the way can read it and the API key.');
  const message = vscode.l10n.t('Problems, formulas and chats will be sent to {0}.', host);
  return (await vscode.window.showWarningMessage(message, { modal: true, detail: where }, use)) === use;
}

async function addEndpoint(services: Services): Promise<Endpoint | null> {
  const url = await vscode.window.showInputBox({
    title: vscode.l10n.t('Add an endpoint…'),
    prompt: vscode.l10n.t('Base URL of a server of the protocol of OpenAI: SGLang, vLLM, llama.cpp, or tah serve on another machine'),
    placeHolder: 'http://127.0.0.1:8000/v1',
    ignoreFocusOut: true,
    validateInput: complaintAbout,
  });
  if (url === undefined) return null;
  const { host } = readAddress(url);
  const model = await askFor(vscode.l10n.t('Name of the model, as the server calls it'), '');
  if (model === null) return null;
  const name = await askFor(vscode.l10n.t('How the endpoint is called here'), host);
  if (name === null) return null;
  const endpoint: Endpoint = { name, url: url.trim(), model };
  const others = services.settings().endpoints.filter((one) => one.name !== name);
  await vscode.workspace.getConfiguration(SECTION).update('endpoints', [...others, endpoint], vscode.ConfigurationTarget.Global);
  await askForKey(services, endpoint);
  return endpoint;
}

function complaintAbout(url: string): string | null {
  try {
    if (url.trim() !== '') readAddress(url);
    return null;
  } catch (error) {
    return TahError.from(error).message;
  }
}

async function askFor(prompt: string, value: string): Promise<string | null> {
  const text = await vscode.window.showInputBox({ title: vscode.l10n.t('Add an endpoint…'), prompt, value, ignoreFocusOut: true });
  return text === undefined || text.trim() === '' ? null : text.trim();
}

/** Left empty: no key is kept, as most servers on one's own machine want none. */
async function askForKey(services: Services, endpoint: Endpoint): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: vscode.l10n.t('API key of {0}', endpoint.name),
    prompt: vscode.l10n.t('Kept in the secret storage of VS Code. Empty: the server wants none.'),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return;
  if (key.trim() === '') await services.endpointKeys.forget(endpoint);
  else await services.endpointKeys.set(endpoint, key.trim());
}

async function pick(services: Services, title: string): Promise<Endpoint | null> {
  const { endpoints } = services.settings();
  if (endpoints.length === 0) throw new TahError('endpoint.unknown', phrase('There is no endpoint yet.'), { hint: phrase('Add one with Think-at-Hard: Use an Endpoint….') });
  return (await vscode.window.showQuickPick(endpoints.map(itemOf), { title }))?.endpoint ?? null;
}

function itemOf(endpoint: Endpoint): vscode.QuickPickItem & { readonly endpoint: Endpoint | null } {
  return { label: endpoint.name, description: endpoint.url, detail: endpoint.model, endpoint };
}
