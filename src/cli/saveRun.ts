/** `--save FILE.tahrun.json`: the run of a command as a run file. The target is checked before anything is computed. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { RUN_FILE_EXTENSION, writeRunFile } from '../host/runFile.ts';
import type { GenerateEvent, TokenEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { Run } from '../protocol/run.ts';

/** A stream of the engine that has ended. */
export interface Generated {
  readonly start: Extract<GenerateEvent, { type: 'start' }>;
  readonly tokens: readonly TokenEvent[];
  readonly end: Extract<GenerateEvent, { type: 'end' }>;
}

/** @throws TahError input.bad-option, run-file.cannot-write */
export function checkSaveTarget(file: string | undefined): void {
  if (file === undefined) return;
  if (!file.endsWith(RUN_FILE_EXTENSION)) throw new TahError('input.bad-option', `--save needs a name that ends with ${RUN_FILE_EXTENSION}, not ${file}.`, { file });
  const folder = path.dirname(path.resolve(file));
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new TahError('run-file.cannot-write', `${file} can't be written: there is no folder ${folder}.`, { file, hint: 'Make the folder first.' });
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) throw new TahError('run-file.cannot-write', `${file} can't be written: it is a folder.`, { file, hint: 'Give another name.' });
}

/** @throws TahError run-file.cannot-write */
export function saveRun(file: string, run: Pick<Run, 'kind' | 'problem' | 'answer' | 'check' | 'scope'>, { start, tokens, end }: Generated): void {
  const bytes = writeRunFile({
    ...run,
    id: randomUUID(),
    createdAt: new Date().toISOString(),
    branch: null,
    comparison: null,
    policy: start.policy,
    sampling: start.sampling,
    model: start.model,
    provider: start.provider,
    prompt: start.prompt,
    tokens,
    state: 'done',
    endReason: end.reason,
    error: null,
    stats: end.stats,
  });
  try {
    fs.writeFileSync(file, bytes);
  } catch (error) {
    throw new TahError('run-file.cannot-write', `${file} can't be written: ${error instanceof Error ? error.message : String(error)}`, { file, hint: 'Choose another folder.', cause: error });
  }
}
