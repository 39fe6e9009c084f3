/**
 * `tah serve`: models of this machine for programs that speak OpenAI's protocol, on 127.0.0.1 and nowhere else. Runs
 * until Ctrl+C. Knows where the token comes from; the server itself is src/serve.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { openModelFolder } from '../engine/modelFolder.ts';
import type { ProviderChoice, ThinkingPolicy } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE } from '../protocol/manifest.ts';
import { startServer, type ServedModel } from '../serve/server.ts';
import { localEngine } from './localEngine.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';

export interface ServeOptions {
  /** Model folders; none: the bundled model. */
  readonly model: readonly string[];
  readonly policy: ThinkingPolicy;
  readonly provider: ProviderChoice;
  readonly port: number;
  readonly queue: number;
  readonly tokenFile?: string;
  readonly verbose: boolean;
}

/** Not an option: the command lines of programs can be seen by everyone on the machine. */
const TOKEN_VARIABLE = 'TAH_SERVE_TOKEN';
const HIGHEST_PORT = 65_535;

export async function serve(options: ServeOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (options.port > HIGHEST_PORT) throw new TahError('input.bad-option', `There is no port ${options.port}.`, { hint: `Give --port 1 to ${HIGHEST_PORT}, or 0 for any that is free.` });
  const models = await servedModels(options.model, terminal, signal);
  const { token, made } = readToken(options.tokenFile);
  const engine = localEngine(terminal);
  const log = (line: string): void => {
    if (options.verbose) process.stderr.write(`${line}\n`);
  };
  const { port, queue, policy, provider } = options;
  const server = await startServer({ engine, models, token, port, policy, provider, queue, log });
  const ids = models.map(({ id }) => id);
  if (terminal.json) terminal.document({ url: server.url, port: server.port, token: made ? token : null, models: ids });
  else sayHello(terminal, server.url, made ? token : null, ids);
  await aborted(signal);
  await server.close();
  await engine.unload();
}

function sayHello(terminal: Terminal, url: string, token: string | null, ids: readonly string[]): void {
  terminal.print(`Base URL  ${url}`);
  terminal.print(`Token     ${token ?? 'the one that you gave'}`);
  terminal.print(`Models    ${ids.join(', ')}`);
  terminal.print('Programs on this machine that have the token can use it. Ctrl+C ends it.');
}

async function servedModels(given: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<readonly ServedModel[]> {
  const models: ServedModel[] = [];
  for (const folder of given.length === 0 ? [undefined] : given) {
    const dir = await resolveModel(folder, terminal, signal);
    const { info } = openModelFolder(dir);
    if (models.some(({ id }) => id === info.id)) throw new TahError('input.bad-option', `Two of the models are called "${info.id}".`, { file: dir, hint: 'Give each --model once.' });
    models.push({ id: info.id, info, created: Math.floor(fs.statSync(path.join(dir, MANIFEST_FILE)).mtimeMs / 1000) });
  }
  return models;
}

/** From the file, else from the environment, else a new one. @throws TahError input.missing-file */
function readToken(file: string | undefined): { readonly token: string; readonly made: boolean } {
  if (file !== undefined) {
    try {
      return { token: fs.readFileSync(file, 'utf8').trim(), made: false };
    } catch (cause) {
      throw new TahError('input.missing-file', `The token can't be read from ${file}.`, { file, hint: 'Give a text file that holds nothing but the token.', cause });
    }
  }
  const given = process.env[TOKEN_VARIABLE]?.trim() ?? '';
  return given === '' ? { token: randomBytes(32).toString('base64url'), made: true } : { token: given, made: false };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => { resolve(); }, { once: true });
  });
}
