/**
 * What an import and a download wrote down: `source.json` of a model folder, which a repair believes, and
 * `tah-download.json` of a checkpoint's.
 */

import fs from 'node:fs';
import path from 'node:path';
import { isWholeDownload, readSource } from '../../../src/hub/importSource.ts';
import { readRecord } from '../../../src/hub/record.ts';
import { folderNameOf, type HubSource } from '../../../src/hub/source.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { SOURCE_FILE, SOURCE_FORMAT, type SourceManifest } from '../../../src/protocol/manifest.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { inventJson, mutateJson } from '../mutate/json.ts';
import { bytesOf, Finding, textOf, type Input, type Outcome, type Room, type Subject } from '../target.ts';

const RECORD_FILE = 'tah-download.json';
const HUB = 'https://huggingface.co';
const CONFIG = '{"model_type":"qwen3"}';
const SHA256 = '0'.repeat(64);

const DOWNLOADS: readonly (HubSource | null)[] = [
  null,
  { hub: HUB, repository: 'owner/name', revision: 'main' },
  { hub: 'http://127.0.0.1:8080/mirror', repository: 'gpt2', revision: 'refs/pr/3' },
  // As a page's address, which no import writes down.
  { hub: HUB, repository: `${HUB}/owner/name/tree/refs%2Fpr%2F1`, revision: 'main' },
];

const RECORD = {
  format: 'tah-download/1', ...DOWNLOADS[1], complete: true, thinksTwice: true,
  files: [{ path: 'config.json', size: CONFIG.length, hash: null }, { path: 'config.json', size: CONFIG.length, hash: { kind: 'sha256', value: SHA256 } }, { path: 'lora/adapter_model.safetensors', size: 0, hash: { kind: 'git-blob', value: '' } }],
};

export function open({ folder }: Room): Subject {
  const [model, checkpoint] = ['model', 'checkpoint'].map((name) => path.join(folder, name)) as [string, string];
  for (const dir of [model, checkpoint]) fs.mkdirSync(dir);
  fs.writeFileSync(path.join(checkpoint, 'config.json'), CONFIG);
  const sources = DOWNLOADS.map((download): Input => ({ part: SOURCE_FILE, data: JSON.stringify({ format: SOURCE_FORMAT, checkpoint, download, quantization: 'int4', name: download === null ? null : 'Mine' }) }));
  const seeds: readonly Input[] = [...sources, { part: RECORD_FILE, data: JSON.stringify(RECORD) }];
  return {
    seeds,
    mutate: (seed, random) => ({ part: seed.part, data: random.chance(0.15) || !isJson(seed) ? mutateBytes(bytesOf(seed), random) : mutateJson(textOf(seed), random) }),
    invent: (random) => ({ part: random.pick([SOURCE_FILE, RECORD_FILE]), data: inventJson(random) }),
    run: ({ part, data }) => (part === SOURCE_FILE ? runSource(model, data) : runRecord(checkpoint, data)),
  };
}

async function runSource(model: string, data: Input['data']): Promise<Outcome> {
  const file = path.join(model, SOURCE_FILE);
  fs.writeFileSync(file, data);
  const source = await readSource(model).catch((error: unknown) => {
    if (error instanceof TahError && (error.file !== file || !error.message.includes(file))) throw new Finding(`the refusal does not name the file: ${error.message.slice(0, 200)}`);
    throw error;
  });
  if (source === null) throw new Finding('the record is there, and nothing is said of it');
  checkSource(source);
  // What is believed is the same when it is written down again.
  fs.writeFileSync(file, JSON.stringify(source));
  if (JSON.stringify(await readSource(model)) !== JSON.stringify(source)) throw new Finding('what was read is another source when it is written and read again');
  return 'accepted';
}

function checkSource({ checkpoint, download }: SourceManifest): void {
  if (!path.isAbsolute(checkpoint) || checkpoint.includes('\0')) throw new Finding('the checkpoint is no path of a folder');
  if (download === null) return;
  const name = folderNameOf(download);
  if (name !== path.basename(name) || name.startsWith('..')) throw new Finding(`the download would go to ${name.slice(0, 200)}`);
}

async function runRecord(checkpoint: string, data: Input['data']): Promise<Outcome> {
  fs.writeFileSync(path.join(checkpoint, RECORD_FILE), data);
  const record = await readRecord(checkpoint);
  if (record === null) return 'refused';
  const whole = await isWholeDownload(checkpoint, record);
  if (whole && !record.complete) throw new Finding('a download that has not ended is whole');
  return 'accepted';
}

function isJson(input: Input): boolean {
  try {
    JSON.parse(textOf(input));
    return true;
  } catch {
    return false;
  }
}
