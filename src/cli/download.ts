/**
 * `tah download REPOSITORY --out DIR`: a checkpoint from a hub or a mirror, ready for `tah import`.
 */
import { downloadCheckpoint, type Downloaded } from '../hub/download.ts';
import { formatBytes, formatDuration, type DownloadProgress } from '../hub/progress.ts';
import { describeSource, parseHubUrl, parseSource, type HubSource } from '../hub/source.ts';
import { TahError } from '../protocol/errors.ts';
import { percent } from './models.ts';
import { withProxyFetch } from './proxyFetch.ts';
import type { Terminal } from './terminal.ts';

export interface DownloadCommand {
  readonly repository: string;
  readonly out: string;
  readonly mirror: string;
  readonly revision?: string;
  /** Name of the variable that holds the access token: a token on the command line would be seen by others. */
  readonly tokenEnv?: string;
}

export async function download(command: DownloadCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const source = parseSource(command.repository, parseHubUrl(command.mirror, '--mirror'), command.revision);
  const token = tokenOf(command.tokenEnv);
  const started = performance.now();
  const { dir, plan, receivedBytes } = await bring(source, command.out, token, terminal, signal);
  const seconds = (performance.now() - started) / 1000;
  if (terminal.json) {
    terminal.document({ out: dir, hub: source.hub, repository: source.repository, revision: source.revision, bytes: plan.totalBytes, receivedBytes, seconds, files: plan.files });
    return;
  }
  terminal.print(`${dir}: ${describeSource(source)}, ${plan.files.length} files, ${formatBytes(plan.totalBytes)} (${formatBytes(receivedBytes)} received), hashes checked`);
  terminal.print(`Import it: tah import ${dir} --out MODEL_FOLDER`);
}

/** Downloads with progress. @throws TahError hub.*, cancelled */
export async function bring(source: HubSource, out: string, token: string | null, terminal: Terminal, signal: AbortSignal): Promise<Downloaded> {
  const progress = terminal.progress();
  const onProgress = (step: DownloadProgress): void => {
    progress.show(progressText(step));
  };
  try {
    return await withProxyFetch((ask) => downloadCheckpoint(source, out, { fetch: ask, token, signal, onProgress }));
  } finally {
    progress.done();
  }
}

export function tokenOf(name: string | undefined): string | null {
  if (name === undefined) return null;
  const token = process.env[name]?.trim() ?? '';
  if (token === '') throw new TahError('input.bad-option', `There is no access token in the environment variable ${name}.`, { subject: '--token-env', hint: 'Set the variable, or leave the option out.' });
  if (/[^\x21-\x7e]/.test(token)) throw new TahError('input.bad-option', `What is in the environment variable ${name} is no access token.`, { subject: '--token-env', hint: 'A token has no spaces and no special characters.' });
  return token;
}

/** How far a download is, in one line. */
export function progressText({ stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft, waiting }: DownloadProgress): string {
  if (waiting !== null) return `Trying again in ${formatDuration(waiting.ms / 1000)}: ${waiting.reason}`;
  if (stage === 'listing') return 'Reading the list of files…';
  if (stage === 'unpacking') return 'Unpacking…';
  const speed = bytesPerSecond === null ? '' : `, ${formatBytes(bytesPerSecond)}/s`;
  const left = secondsLeft === null ? '' : `, ${formatDuration(secondsLeft)} left`;
  return `Downloading: ${percent(doneBytes, totalBytes)} of ${formatBytes(totalBytes)}${speed}${left}`;
}
