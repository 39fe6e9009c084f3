/**
 * The verdicts of self-tests, kept across starts in one JSON file. A verdict holds for the environment, the self-test
 * and the model that it was made with, and for nothing else. A file that can't be read is as good as none: what it
 * said can be found out again.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Provider } from '../../protocol/engine.ts';
import { CACHE_FOLDER_VARIABLE, PROVIDER_RECORD_FILE } from '../../protocol/rpc.ts';
import type { Verdict } from './probe.ts';

const FORMAT = 'tah-providers/2';
/** More than a machine has providers and a user models; older ones go first. */
const MOST_ENTRIES = 64;

const verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('right'), tokensPerSecond: z.number(), selfTestTokensPerSecond: z.number() }),
  z.object({ kind: z.literal('slow'), tokens: z.number(), seconds: z.number(), cpuTokensPerSecond: z.number() }),
  z.object({ kind: z.literal('hung'), seconds: z.number() }),
  z.object({ kind: z.enum(['unavailable', 'wrong', 'crashed']), reason: z.string() }),
]);
const entry = z.object({
  provider: z.enum(['cpu', 'cuda', 'dml', 'webgpu', 'coreml']),
  environment: z.string(),
  selfTestHash: z.string(),
  modelHash: z.string(),
  at: z.string(),
  verdict,
});
const RECORD = z.object({ format: z.literal(FORMAT), entries: z.array(entry) });

type Entry = z.infer<typeof entry>;

/** What a verdict is valid for. */
export type VerdictKey = Pick<Entry, 'provider' | 'environment' | 'selfTestHash' | 'modelHash'>;

/** The folder for what is measured on this machine: TAH_CACHE_DIR, or the system's place for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env[CACHE_FOLDER_VARIABLE];
  if (given !== undefined && given !== '') return given;
  const home = os.homedir();
  if (process.platform === 'win32') return path.join(env['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'), 'think-at-hard');
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Caches', 'think-at-hard');
  return path.join(env['XDG_CACHE_HOME'] ?? path.join(home, '.cache'), 'think-at-hard');
}

export class ProviderRecord {
  private readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, PROVIDER_RECORD_FILE);
  }

  find(key: VerdictKey): Verdict | null {
    return this.read().find((known) => sameKey(known, key))?.verdict ?? null;
  }

  /** Keeps a verdict in the place of an older one. A folder that can't be written costs a test at the next start. */
  keep(key: VerdictKey, verdict: Verdict): void {
    const entries = [...this.read().filter((known) => !sameKey(known, key)), { ...key, at: new Date().toISOString(), verdict }].slice(-MOST_ENTRIES);
    const partial = `${this.file}.${process.pid}-${randomBytes(4).toString('hex')}`;
    try {
      fs.mkdirSync(path.dirname(this.file), { recursive: true });
      fs.writeFileSync(partial, `${JSON.stringify({ format: FORMAT, entries }, null, 1)}\n`);
      fs.renameSync(partial, this.file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (fs.existsSync(partial)) fs.rmSync(partial);
    }
  }

  /** Every verdict is found out again at its next use. */
  forget(): void {
    fs.rmSync(this.file, { force: true });
  }

  private read(): readonly Entry[] {
    let text: string;
    try {
      text = fs.readFileSync(this.file, 'utf8');
    } catch {
      // Not there yet, or not ours to read.
      return [];
    }
    try {
      return RECORD.parse(JSON.parse(text)).entries;
    } catch {
      // Of another version, or damaged.
      return [];
    }
  }
}

function sameKey(known: Entry, key: VerdictKey & { readonly provider: Provider }): boolean {
  return known.provider === key.provider && known.environment === key.environment && known.selfTestHash === key.selfTestHash && known.modelHash === key.modelHash;
}
