/**
 * Finds the model folder that a command runs. The bundled checkpoint of a clone is imported on first use, and again
 * when it or the importer has changed; a package carries the imported folder already.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { openModelFolder } from '../engine/modelFolder.ts';
import { IMPORTER_VERSION } from '../importer/describeModel.ts';
import { importCheckpoint } from '../importer/importer.ts';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE, type Quantization } from '../protocol/manifest.ts';
import type { Terminal } from './terminal.ts';

const BUNDLED_MODEL = 'tah-math-small';

/** dist/ of the clone or the package: where this bundle lies. */
const DIST = import.meta.dirname;
const CHECKPOINTS = path.join(DIST, '..', 'models');

/** @returns an imported model folder @throws TahError model.not-found, and what the import throws */
export async function resolveModel(given: string | undefined, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  if (given !== undefined) return path.resolve(given);
  return prepareBundled(BUNDLED_MODEL, terminal, signal);
}

async function prepareBundled(id: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const out = path.join(DIST, 'models', id);
  const checkpoint = path.join(CHECKPOINTS, id, 'checkpoint');
  if (!fs.existsSync(checkpoint)) {
    if (fs.existsSync(path.join(out, MANIFEST_FILE))) return out;
    throw new TahError('model.not-found', 'There is no bundled model in this installation.', { file: out, hint: 'Give a model folder with --model DIR.' });
  }
  const stamp = `${out}.source`;
  const quantization = bundledQuantization(id);
  const source = `${IMPORTER_VERSION} ${quantization} ${fingerprint(checkpoint)}`;
  const current = fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === source && isWhole(out);
  if (!current) {
    // dist/ holds nothing but what a build makes: a damaged folder there is made again.
    fs.rmSync(out, { recursive: true, force: true });
    const progress = terminal.progress();
    for await (const event of importCheckpoint({ checkpoint, out, quantization, name: id }, {}, signal)) {
      if (event.type === 'progress') progress.show(`Preparing the bundled model: ${percent(event.doneBytes, event.totalBytes)}`);
    }
    progress.done();
    fs.writeFileSync(stamp, source);
  }
  return out;
}

function isWhole(folder: string): boolean {
  try {
    openModelFolder(folder);
    return true;
  } catch (error) {
    if (error instanceof TahError) return false;
    throw error;
  }
}

/** `import.json` beside the checkpoint says how it is shipped. */
function bundledQuantization(id: string): Quantization {
  const file = path.join(CHECKPOINTS, id, 'import.json');
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '{}';
  const { quantization = 'fp32' } = JSON.parse(text) as { quantization?: Quantization };
  return quantization;
}

function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isFile()) hash.update(entry.name).update(fs.readFileSync(path.join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}

export function percent(done: number, total: number): string {
  return `${Math.floor((100 * done) / Math.max(1, total))} %`;
}
