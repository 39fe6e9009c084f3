import { describe, expect, it } from 'vitest';
import { LARGEST_RUN_FILE, readRunFile, readRunHead, withoutPaths, writeRunFile } from '../../../src/host/runFile.ts';
import { answerCheck } from '../../../src/protocol/answer.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { reason, told } from '../../../src/protocol/reasons.ts';
import type { Run } from '../../../src/protocol/run.ts';
import { keptRun, keptToken } from '../../fixtures/keptRun.ts';

const NAME = 'x.tahrun.json';
const text = (run: Run): string => new TextDecoder().decode(writeRunFile(run));
const read = (json: unknown): Run => readRunFile(new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json)), NAME);

/** As the file holds it: for tests that break it. */
function fileOf(run: Run): { format: string; run: Record<string, unknown>; prompt: unknown[]; tokens: Record<string, unknown>[] } {
  return JSON.parse(text(run)) as ReturnType<typeof fileOf>;
}

function refusal(json: unknown): TahError {
  try {
    read(json);
  } catch (error) {
    if (error instanceof TahError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a run file', () => {
  it('gives the run back, but for where its model was', () => {
    const run = keptRun({
      branch: { parentId: 'p-1', index: 1, change: { kind: 'token', id: 3, text: ' "x"\n' } },
      comparison: { id: 'c', role: 'oracle' },
      policy: { kind: 'depths', iterCounts: [1, null, 2], threshold: 0.25 },
      tokens: [keptToken(0, ' α🙂'), keptToken(1, '', { iterCount: 2, after: [{ id: 9, text: 'b', logprob: -0.1 }], elapsedMs: null }), keptToken(2, 'x', { id: -1, logprob: null, entropyBefore: null, entropyAfter: null })],
    });
    expect(read(text(run))).toEqual({ ...run, model: { ...run.model, path: '' } });
  });

  it.each([
    { state: 'failed', model: null, provider: null, sampling: null, prompt: [], tokens: [], stats: null, endReason: null, answer: null, check: null, error: { code: 'engine.crashed', message: 'It ended.', hint: 'Again.' } },
    { kind: 'measure', policy: { kind: 'self-oracle' }, answer: null, check: null },
    { policy: { kind: 'oracle', labels: [-100, 2] } },
    { scope: { state: 'inside' } },
    { scope: { state: 'outside', reason: { kind: 'words', words: ['proof'] }, subjects: [{ id: 's', title: 'Sums', example: '1 + 2', range: 'small' }] } },
    { policy: { kind: 'decider' }, branch: { parentId: 'p', index: 0, change: { kind: 'threshold', threshold: 0.5 } } },
  ] satisfies Partial<Run>[])('of every kind of run: %#', (changes) => {
    const run = keptRun(changes);
    expect(read(text(run))).toEqual(run.model === null ? run : { ...run, model: { ...run.model, path: '' } });
  });

  it('tells in its first line all that a list needs', () => {
    const run = keptRun();
    expect({ ...readRunHead(text(run).split('\n')[0] ?? '', NAME), prompt: run.prompt, tokens: run.tokens }).toEqual({ ...run, model: { ...run.model, path: '' } });
  });

  it('says equal lists of candidates once', () => {
    const [token] = fileOf(keptRun()).tokens;
    expect(token).toHaveProperty('before');
    expect(token).not.toHaveProperty('after');
  });

  it('has a number for the logarithm of nothing', () => {
    const run = keptRun({ tokens: [keptToken(0, 'a', { before: [{ id: 1, text: 'a', logprob: -Infinity }], after: [{ id: 1, text: 'a', logprob: -Infinity }], logprob: -Infinity })] });
    expect(Math.exp(read(text(run)).tokens[0]?.before[0]?.logprob ?? 1)).toBe(0);
    expect(Math.exp(read(text(run)).tokens[0]?.logprob ?? 1)).toBe(0);
  });

  it('holds no folder, address or file of the machine', () => {
    const model = keptRun().model;
    if (model === null) throw new Error('no model');
    const written = text(keptRun({
      state: 'failed',
      model: { ...model, path: '/home/ada/models/m', endpoint: { name: 'lab', host: 'gpu.lab.example:8000', sends: 'text' } },
      provider: { provider: 'cpu', ...told('endpoint-computes-there', 'lab', 'gpu.lab.example:8000', 'cpu', 'libraries of /home/ada/lib/blas.so'), rejected: [{ provider: 'cuda', ...told('provider-failed', 'Failed to load /opt/ada/lib/libcudnn.so.9: no such file') }] },
      error: { code: 'model.corrupted', message: 'C:\\Users\\ada\\my models\\model.onnx is missing.', hint: 'Look in ~/ada/models.', file: 'C:\\Users\\ada\\my models\\model.onnx' },
    }));
    expect(written).not.toMatch(/ada|gpu\.lab|home|opt|Users/);
    expect(written).toContain('libcudnn.so.9');
    expect(written).toContain('model.onnx is missing');
  });

  it('that its own reader would refuse is not written', () => {
    expect(() => writeRunFile(keptRun({ tokens: [keptToken(0, 'a', { entropyBefore: NaN })] }))).toThrow('tokens.0.entropyBefore');
    expect(() => writeRunFile(keptRun({ id: '../x' }))).toThrow('run.id');
  });

  it('is not made of a run that goes on still', () => {
    expect(() => writeRunFile(keptRun({ state: 'running' }))).toThrow('still going on');
  });
});

describe('a file that is no run file is refused with the place and the reason:', () => {
  const file = fileOf(keptRun());

  it.each([
    ['', 'cut off'],
    ['{"format":"tah-run/1","run"', 'cut off'],
    ['[]', '"format"'],
    ['null', '"format"'],
    [{ ...file, format: 'tah-run/0' }, '"format"'],
    [{ ...file, format: 'other/1' }, '"format"'],
    [{ ...file, tokens: undefined }, 'tokens'],
    [{ ...file, run: { ...file.run, state: 'running' } }, 'run.state'],
    [{ ...file, run: { ...file.run, id: '../../etc/passwd' } }, 'run.id'],
    [{ ...file, run: { ...file.run, createdAt: 'yesterday' } }, 'run.createdAt'],
    [{ ...file, run: { ...file.run, policy: { kind: 'sometimes' } } }, 'run.policy'],
    [{ ...file, run: { ...file.run, policy: { kind: 'depths', iterCounts: [1e9] } } }, 'run.policy.iterCounts.0'],
    [{ ...file, run: { ...file.run, model: { ...(file.run['model'] as object), hash: 'abc' } } }, 'run.model.hash'],
    [{ ...file, run: { ...file.run, check: { state: 'surely', reason: '' } } }, 'run.check.state'],
    [{ ...file, tokens: [{ ...file.tokens[0], iterCount: 1e9 }] }, 'tokens.0.iterCount'],
    [{ ...file, tokens: [{ ...file.tokens[0], continueProbability: [1.5] }] }, 'tokens.0.continueProbability.0'],
    [{ ...file, tokens: [{ ...file.tokens[0], before: Array.from({ length: 101 }, () => ({ id: 1, text: '', logprob: 0 })) }] }, 'tokens.0.before'],
    [{ ...file, tokens: [{ ...file.tokens[0], index: 7 }] }, 'tokens'],
    [JSON.stringify(file).replace(/"entropyBefore":[^,]+/, '"entropyBefore":1e999'), 'tokens.0.entropyBefore'],
    [JSON.stringify(file).replace(/"text":"[^"]*"/, '"text":{"a":1}'), 'text'],
  ])('%#', (json, reason) => {
    const error = refusal(json);
    expect(error.code).toBe('run-file.invalid');
    expect(error.message).toContain(NAME);
    expect(error.message).toContain(reason);
    expect(error.file).toBe(NAME);
  });

  it('bytes that are no UTF-8', () => {
    expect(() => readRunFile(Uint8Array.of(0xff, 0xfe, 0), NAME)).toThrow('UTF-8');
  });

  it('too many bytes, before they are looked at', () => {
    expect(() => readRunFile(new Uint8Array(LARGEST_RUN_FILE + 1), NAME)).toThrow('at most 64 MB');
  });

  it('a newer version, which is not called broken', () => {
    expect(refusal({ format: 'tah-run/2', anything: true })).toMatchObject({ code: 'run-file.newer-version', message: expect.stringContaining('tah-run/2') as string, hint: 'Update the extension.' });
  });
});

it('an error code of a newer build is shown as a fault that is not known here', () => {
  const file = fileOf(keptRun({ state: 'failed', error: { code: 'engine.crashed', message: 'm' } }));
  expect(read({ ...file, run: { ...file.run, error: { code: 'engine.melted', message: 'm' } } }).error?.code).toBe('internal');
});

it('the reasons of a check are kept as data; of a newer build\'s, or none, the English is', () => {
  const check = answerCheck('contradicted', [reason('no-value-with', 'x = 1', reason('divides-by-zero')), reason('no-solution')]);
  const file = fileOf(keptRun({ check }));
  const withWhy = (why: unknown): unknown => read({ ...file, run: { ...file.run, check: { state: check.state, reason: check.reason, why } } }).check;
  expect(read(file).check).toEqual(check);
  for (const why of [undefined, [{ kind: 'of-tomorrow' }], [{ kind: 'no-solution', args: [7] }], 'x']) expect(withWhy(why)).toEqual({ state: check.state, reason: check.reason });
});

it('why a provider runs, and others do not, is kept as data; of a newer build\'s the English is', () => {
  const speed = reason('tokens-a-second', '42');
  const provider = { provider: 'cpu', ...told('provider-fastest', speed), rejected: [{ provider: 'webgpu', ...told('provider-too-slow', '4', '2.0', speed) }, { provider: 'cuda', reason: 'No driver.' }] } as const;
  const file = fileOf(keptRun({ provider }));
  expect(read(file).provider).toEqual(provider);
  const newer = read({ ...file, run: { ...file.run, provider: { ...provider, why: { kind: 'of-tomorrow' }, rejected: [{ ...provider.rejected[0], why: 7 }] } } });
  expect(newer.provider).toEqual({ provider: 'cpu', reason: 'the fastest that computes right: 42 tokens/s', rejected: [{ provider: 'webgpu', reason: 'too slow: 4 tokens in 2.0 s, where the CPU makes 42 tokens/s' }] });
});

it('a field that is not known is left out', () => {
  const file = fileOf(keptRun());
  expect(read({ ...file, run: { ...file.run, mood: 'good' } })).not.toHaveProperty('mood');
});

it.each([
  ['/usr/lib/x.so is missing', '…/x.so is missing'],
  ['see C:\\a\\b.txt', 'see …/b.txt'],
  ['\\\\server\\share\\f', '…/f'],
  ['3 km/h and a/b, 1/2', '3 km/h and a/b, 1/2'],
  ['at https://x.org/a/b', 'at https://x.org/a/b'],
])('paths become their last part: %s', (sentence, shown) => {
  expect(withoutPaths(sentence)).toBe(shown);
});
