/** `tah verify` notices every wrong, missing or unknown thing in golden vectors: none is skipped in silence. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { verify, type Verification } from '../../../src/cli/verify/verify.ts';
import { Report } from '../../../src/cli/verify/report.ts';

const VECTORS = path.join(import.meta.dirname, '../../golden/vectors');

type Json = Record<string, unknown>;
interface Changed {
  [key: string]: unknown;
  cases: (Json & { tensors: Record<string, string>; decider: Json[]; steps: Json[] })[];
  model: Json;
  tensors: Record<string, Json>;
}

let dir = '';
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

/** tiny-llama with its two shortest stored cases, a forward and a decode, and the change. */
function vectors(change: (golden: Changed, dir: string) => void): Promise<Verification> {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-golden-'));
  fs.cpSync(path.join(VECTORS, 'tiny-llama'), dir, { recursive: true });
  const file = path.join(dir, 'golden.json');
  const golden = JSON.parse(fs.readFileSync(file, 'utf8')) as Changed;
  golden.cases = golden.cases.filter((test) => ['fwd/stored/p7', 'dec/stored/p1'].includes(String(test['id'])));
  change(golden, dir);
  fs.writeFileSync(file, JSON.stringify(golden));
  return verify(dir, { quantization: 'fp32' });
}

const failed = (result: Verification): string[] => result.stages.filter((stage) => !stage.ok).map((stage) => stage.stage);

function first<T>(values: readonly T[] | undefined): T {
  const value = values?.[0];
  if (value === undefined) throw new Error('the vectors have nothing to change here');
  return value;
}

const setAt = (record: Json, key: string, value: unknown): void => {
  (record[key] as unknown[])[0] = value;
};

const FAULTS: readonly (readonly [string, string, (golden: Changed) => void])[] = [
  ['an unknown kind of case', 'cases', (g) => { first(g.cases)['kind'] = 'dream'; }],
  ['a case without tokens', 'cases', (g) => { first(g.cases)['input_ids'] = []; }],
  ['a token that the model has not', 'cases', (g) => { first(g.cases)['input_ids'] = [9999]; }],
  ['an oracle without labels', 'cases', (g) => { first(g.cases)['tah_config_override'] = { eval_iter_decider: 'IterLabelDecider' }; }],
  ['an unknown tensor', 'unknown tensors', (g) => { first(g.cases).tensors['depth1.dream'] = first(g.cases).tensors['final_logits'] ?? ''; }],
  ['a layer that the model has not', 'unknown tensors', (g) => { first(g.cases).tensors['depth1.layer99.k'] = first(g.cases).tensors['final_logits'] ?? ''; }],
  ['a depth that was not run', 'unknown tensors', (g) => { first(g.cases).tensors['depth9.raw_logits'] = first(g.cases).tensors['final_logits'] ?? ''; }],
  ['no record of the decider', 'decider: depths', (g) => { first(g.cases).decider = []; }],
  ['another probability', 'decider probability', (g) => { setAt(first(first(g.cases).decider), 'prob', 0.123); }],
  ['another logit of the decider', 'decider logit, as probability', (g) => { setAt(first(first(g.cases).decider), 'logit', 5); }],
  ['another description of the model', 'model', (g) => { g.model['head_dim'] = 13; }],
  ['another logit among the ten best', 'decode: top 10', (g) => { setAt(first(g.cases[1]?.steps), 'last_top10_logits', 0); }],
  ['another token after the last', 'decode: greedy tokens', (g) => { first(g.cases.slice(1))['next_after_last'] = 3; }],
  ['another length of the cache', 'decode: cache lengths', (g) => { first(g.cases.slice(1))['final_cache_lengths'] = { 1: 2 }; }],
  ['a depth of the cache left out', 'decode: cache positions', (g) => { first(g.cases.slice(1))['final_cache_positions'] = { 1: [0] }; }],
];

describe('verify', () => {
  it('holds for the vectors as they are, under any name of a policy', async () => {
    const result = await vectors((golden) => { first(golden.cases)['policy'] = 'of another name'; });
    expect(failed(result)).toEqual([]);
    expect(result).toMatchObject({ ok: true, cases: 2 });
  });

  it.each(FAULTS)('notices %s', async (_, stage, change) => {
    const result = await vectors(change);
    expect(failed(result)).toContain(stage);
    expect(result.ok).toBe(false);
    expect(first(result.stages.find((found) => found.stage === stage)?.failures)).not.toBe('');
  });

  it('refuses vectors without cases, and a checkpoint outside of their folder', async () => {
    await expect(vectors((golden) => { golden.cases = []; })).rejects.toMatchObject({ code: 'input.bad-file' });
    await expect(vectors((golden) => { golden['checkpoint'] = '..'; })).rejects.toMatchObject({ code: 'input.bad-file' });
  });

  it('lets labels decide beyond the limit that the decider believes in, as the reference does', async () => {
    const result = await vectors((golden, folder) => {
      golden.cases = (JSON.parse(fs.readFileSync(path.join(VECTORS, 'tiny-llama/golden.json'), 'utf8')) as Changed).cases.filter((test) => test['id'] === 'fwd/oracle/p7');
      const config = path.join(folder, 'ckpt/tah_config.json');
      const tah = JSON.parse(fs.readFileSync(config, 'utf8')) as { iter_decider_kwargs: Json };
      tah.iter_decider_kwargs['max_iter'] = 1;
      fs.writeFileSync(config, JSON.stringify(tah));
    });
    expect(failed(result)).toEqual([]);
  });

  it('replays a plain model, whose cases have no decider', async () => {
    const result = await vectors((golden, folder) => {
      for (const name of ['lora', 'iter_decider.bin', 'tah_config.json']) fs.rmSync(path.join(folder, 'ckpt', name), { recursive: true });
      const whole = JSON.parse(fs.readFileSync(path.join(VECTORS, 'tiny-llama/golden.json'), 'utf8')) as Changed;
      golden.cases = whole.cases.filter((test) => test['id'] === 'fwd/always1/p7').map((test) => ({ ...test, tah_config_override: null, effective_threshold: null, decider: [] }));
      golden.model = { kind: 'llama', layers: 3 };
    });
    expect(failed(result)).toEqual([]);
    expect(result.ok).toBe(true);
  });

  it('can be stopped, and leaves no folder behind', async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-work-'));
    vi.stubEnv('TMPDIR', dir);
    await expect(verify(path.join(VECTORS, 'tiny-tied'), { quantization: 'fp32' }, AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'cancelled' });
    vi.unstubAllEnvs();
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe('Report', () => {
  it('counts every value of lists of different lengths, and numbers that are none, as disagreements', () => {
    const report = new Report();
    report.compare('a', 'x', [1, 2, 3], [1], 0.1);
    report.compare('b', 'x', [1, NaN, 3], [1, 2, 3], 0.1);
    expect(report.results()).toMatchObject([
      { total: 3, agreed: 0, ok: false },
      { total: 3, agreed: 2, largest: 0, ok: false },
    ]);
    expect(report.ok).toBe(false);
  });
});
