/**
 * `tah repair DIR`: a damaged model folder is imported again from what it was made from, into a folder beside it that
 * takes its place when it is whole. Downloads what is missing of a downloaded checkpoint, into the folder where it was.
 */
import path from 'node:path';
import { openModelFolder, readManifest, verifyHashes } from '../engine/modelFolder.ts';
import { isCheckpoint, isWholeDownload, readSource } from '../hub/importSource.ts';
import { TahError } from '../protocol/errors.ts';
import type { Quantization, SourceManifest } from '../protocol/manifest.ts';
import { bring, tokenOf } from './download.ts';
import { importModel } from './importModel.ts';
import type { Terminal } from './terminal.ts';

const GIVE_CHECKPOINT = 'Give the folder of its checkpoint with --checkpoint, or delete the model.';

export interface RepairCommand {
  readonly model: string;
  readonly checkpoint?: string;
  readonly quantization?: Quantization;
  readonly tokenEnv?: string;
}

/** @throws TahError model.no-source where there is nothing to make it from, and what download and import throw */
export async function repair(command: RepairCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const out = path.resolve(command.model);
  const fault = await faultOf(out);
  if (fault === null) {
    if (terminal.json) terminal.document({ out, repaired: false });
    else terminal.print(`${out} is whole: there is nothing to repair.`);
    return;
  }
  if (!terminal.json) terminal.print(fault.message);
  const source = await believedSource(out);
  const checkpoint = command.checkpoint === undefined ? await checkpointOf(out, command, terminal, signal) : path.resolve(command.checkpoint);
  const before = manifestOf(out);
  const quantization = command.quantization ?? source?.quantization ?? before?.quantization.kind;
  if (quantization === undefined) throw new TahError('input.bad-option', `Nothing says which precision ${out} had.`, { subject: '--quantization', hint: 'Give it with --quantization.' });
  const name = source?.name ?? before?.name;
  await importModel({ checkpoint, out, quantization, replace: true, record: true, ...(name === undefined ? {} : { name }) }, terminal, signal);
}

/** Null: the folder is whole. @throws whatever is no damage of a model folder */
async function faultOf(out: string): Promise<TahError | null> {
  try {
    await verifyHashes(openModelFolder(out));
    return null;
  } catch (error) {
    if (!(error instanceof TahError)) throw error;
    // Where nothing was imported, nothing is repaired; a folder without a manifest may have a record.
    if (error.code === 'model.not-found' && (await believedSource(out)) === null) throw error;
    return error;
  }
}

function manifestOf(out: string): ReturnType<typeof readManifest> | null {
  try {
    return readManifest(out);
  } catch (error) {
    // Damaged as well.
    if (error instanceof TahError) return null;
    throw error;
  }
}

/** The folder of the recorded checkpoint, whole. */
async function checkpointOf(out: string, { tokenEnv }: RepairCommand, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const source = await recordedSource(out);
  if (source === null) throw noSource(out, 'nothing in it says what it was made from');
  const { checkpoint, download } = source;
  if (download !== null) {
    if (await isWholeDownload(checkpoint, download, signal)) return checkpoint;
    return (await bring(download, checkpoint, tokenOf(tokenEnv), terminal, signal)).dir;
  }
  if (!(await isCheckpoint(checkpoint))) throw noSource(out, `its checkpoint ${checkpoint} is gone`);
  return checkpoint;
}

/** @throws TahError model.no-source that names the record where it can't be believed */
async function recordedSource(out: string): Promise<SourceManifest | null> {
  try {
    return await readSource(out);
  } catch (error) {
    if (!(error instanceof TahError)) throw error;
    throw new TahError(error.code, error.message, { file: error.file ?? out, hint: GIVE_CHECKPOINT, cause: error });
  }
}

/** As the record says, where there is one and it can be believed. */
async function believedSource(out: string): Promise<SourceManifest | null> {
  try {
    return await readSource(out);
  } catch (error) {
    if (error instanceof TahError) return null;
    throw error;
  }
}

function noSource(out: string, why: string): TahError {
  return new TahError('model.no-source', `${out} can't be made again: ${why}.`, { file: out, hint: GIVE_CHECKPOINT });
}
