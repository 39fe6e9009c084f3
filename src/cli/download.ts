/**
 * `tah download REPOSITORY --out DIR`: a checkpoint from a hub or a mirror, ready for `tah import`. Proxies are those of
 * the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
 */
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { downloadCheckpoint } from '../hub/download.ts';
import { formatBytes, formatDuration, type DownloadProgress } from '../hub/progress.ts';
import { describeSource, parseHubUrl, parseSource } from '../hub/source.ts';
import { TahError } from '../protocol/errors.ts';
import { percent } from './models.ts';
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
  const progress = terminal.progress();
  const agent = new EnvHttpProxyAgent();
  const started = performance.now();
  try {
    const { dir, plan, receivedBytes } = await downloadCheckpoint(source, command.out, {
      // The library's fetch is the one that takes its own agent; it differs from Node's in the names of its types only.
      fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as unknown as typeof fetch,
      token,
      signal,
      onProgress: (step) => {
        progress.show(progressText(step));
      },
    });
    const seconds = (performance.now() - started) / 1000;
    if (terminal.json) {
      terminal.document({ out: dir, hub: source.hub, repository: source.repository, revision: source.revision, bytes: plan.totalBytes, receivedBytes, seconds, files: plan.files });
      return;
    }
    progress.done();
    terminal.print(`${dir}: ${describeSource(source)}, ${plan.files.length} files, ${formatBytes(plan.totalBytes)} (${formatBytes(receivedBytes)} received), hashes checked`);
    terminal.print(`Import it: tah import ${dir} --out MODEL_FOLDER`);
  } finally {
    progress.done();
    await agent.destroy();
  }
}

export function tokenOf(name: string | undefined): string | null {
  if (name === undefined) return null;
  const token = process.env[name]?.trim() ?? '';
  if (token === '') throw new TahError('input.bad-option', `There is no access token in the environment variable ${name}.`, { subject: '--token-env', hint: 'Set the variable, or leave the option out.' });
  if (/[^\x21-\x7e]/.test(token)) throw new TahError('input.bad-option', `What is in the environment variable ${name} is no access token.`, { subject: '--token-env', hint: 'A token has no spaces and no special characters.' });
  return token;
}

export function progressText({ stage, doneBytes, totalBytes, bytesPerSecond, secondsLeft, waiting }: DownloadProgress): string {
  if (waiting !== null) return `Trying again in ${formatDuration(waiting.ms / 1000)}: ${waiting.reason}`;
  if (stage === 'listing') return 'Reading the list of files…';
  const speed = bytesPerSecond === null ? '' : `, ${formatBytes(bytesPerSecond)}/s`;
  const left = secondsLeft === null ? '' : `, ${formatDuration(secondsLeft)} left`;
  return `Downloading: ${percent(doneBytes, totalBytes)} of ${formatBytes(totalBytes)}${speed}${left}`;
}
