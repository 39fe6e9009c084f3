/**
 * Providers that are wrong, die, hang or are absent are found out in a process of their own, remembered with the reason,
 * and not used. The runtime is another build of ONNX Runtime (test/fixtures/runtime) whose WebGPU provider misbehaves.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../../../src/engine/engine.ts';
import { createChooser, type ChooseProvider } from '../../../../src/engine/providers/choose.ts';
import { ProviderRecord } from '../../../../src/engine/providers/record.ts';
import { GREEDY, type GenerateEvent } from '../../../../src/protocol/engine.ts';
import { sayReason } from '../../../../src/protocol/reasons.ts';
import { buildProbe, importTestedModel } from '../../../fixtures/testedModel.ts';
import { importTinyModel, type TinyModel } from '../../../fixtures/tinyModel.ts';

let folder: string;
let probeEntry: string;
let tested: TinyModel;
let other: TinyModel;
let cache: string;

beforeAll(async () => {
  tested = await importTestedModel();
  other = await importTinyModel();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-providers-'));
  probeEntry = await buildProbe(folder);
  process.env['TAH_RUNTIME_PACKAGE'] = path.join(import.meta.dirname, '../../../fixtures/runtime/index.cjs');
});
beforeEach(() => {
  cache = fs.mkdtempSync(path.join(folder, 'cache-'));
  process.env['FAKE_PROVIDER'] = 'right';
  delete process.env['SLOW_PROVIDER'];
});
afterAll(() => {
  for (const name of ['TAH_RUNTIME_PACKAGE', 'FAKE_PROVIDER', 'SLOW_PROVIDER']) Reflect.deleteProperty(process.env, name);
  tested.remove();
  other.remove();
  fs.rmSync(folder, { recursive: true });
});

const chooser = (timeoutMs = 20_000, entry = probeEntry, budgetMs = timeoutMs): ChooseProvider =>
  createChooser({ probeEntry: entry, selfTestFolder: () => Promise.resolve(tested.dir), record: new ProviderRecord(cache), timeoutMs, budgetMs });
/** A program that can't test: whoever asks it knows no verdict. */
const noProbe = (): ChooseProvider => chooser(1000, path.join(folder, 'absent.cjs'));

describe('auto', () => {
  it.each([
    ['webgpu', 'cpu', 'cpu=20'],
    ['cpu', 'webgpu', 'cpu=40,webgpu=60'],
  ] as const)('takes %s where it is right and %s is right, but slower', async (taken, slow, delays) => {
    process.env['SLOW_PROVIDER'] = delays;
    const info = await chooser(60_000)(tested.dir, 'auto');
    expect(info.provider).toBe(taken);
    expect(info.reason).toMatch(/^the fastest that computes right: [\d.]+ tokens\/s$/);
    expect(info.why?.kind).toBe('provider-fastest');
    expect(info.rejected).toEqual([{ provider: slow, reason: expect.stringMatching(/^right, but slower: [\d.]+ tokens\/s$/) as string, why: { kind: 'provider-slower', args: [{ kind: 'tokens-a-second', args: [expect.stringMatching(/^[\d.]+$/)] }] } }]);
  });

  it.each([
    ['wrong', /^failed its self-test: its numbers are wrong: step 1 of \d+: the logit of token \d+ is/],
    ['dies', /^failed its self-test: its process ended with signal SIGSEGV/],
    ['hangs', /^failed its self-test: it gave no answer within 4 s$/],
    ['absent', /^not available here: The provider "webgpu" could not be started: Failed to get a WebGPU adapter: none$/],
  ] as const)('goes on the CPU where the other provider is %s, and says why', async (how, reason) => {
    process.env['FAKE_PROVIDER'] = how;
    const info = await chooser(how === 'hangs' ? 4000 : 60_000)(tested.dir, 'auto');
    expect(info).toMatchObject({ provider: 'cpu', reason: 'no other provider works here' });
    expect(info.rejected).toMatchObject([{ provider: 'webgpu', reason: expect.stringMatching(reason) as string }]);
    // As data too: it is said in the user's language.
    const why = info.rejected[0]?.why;
    expect(why === undefined ? null : sayReason(why)).toMatch(reason);
  });

  it.each([
    ['in its self-test', 'webgpu=400', /^too slow: 4 tokens in \d+\.\d s, where the CPU makes \d+(\.\d)? tokens\/s$/],
    ['with the model itself', 'cpu=40,webgpu=200', /^too slow: 4 tokens in \d+\.\d s, where the CPU makes \d+(\.\d)? tokens\/s$/],
  ])('gives a device up that is slower than the CPU by far %s', async (_, delays, reason) => {
    process.env['SLOW_PROVIDER'] = delays;
    const info = await chooser(60_000)(tested.dir, 'auto');
    expect(info).toMatchObject({ provider: 'cpu', reason: 'no other provider is as fast here', why: { kind: 'provider-none-as-fast' }, rejected: [{ provider: 'webgpu', reason: expect.stringMatching(reason) as string, why: { kind: 'provider-too-slow' } }] });
    expect(info.rejected).toHaveLength(1);
  });

  it('gives a device up that is not done in its time, and says how far it came', async () => {
    process.env['FAKE_PROVIDER'] = 'stalls';
    const info = await chooser(60_000, probeEntry, 3000)(tested.dir, 'auto');
    expect(info.provider).toBe('cpu');
    expect(info.rejected[0]?.reason).toMatch(/^too slow: [1-5] tokens in 3\.0 s, where the CPU makes/);
  });

  it('does not measure the CPU where no other device is there', async () => {
    process.env['FAKE_PROVIDER'] = 'absent';
    await chooser()(tested.dir, 'auto');
    expect(fs.readFileSync(path.join(cache, 'providers.json'), 'utf8')).not.toContain('"cpu"');
  });

  it('runs a model on the CPU beside a provider that kills its process', async () => {
    process.env['FAKE_PROVIDER'] = 'dies';
    const engine = createEngine(chooser());
    const events: GenerateEvent[] = [];
    for await (const event of engine.generate({ model: other.dir, prompt: { kind: 'tokens', ids: [5, 6, 7] }, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 4 })) events.push(event);
    const start = events.find((event) => event.type === 'start');
    expect(start?.type === 'start' && start.provider.provider).toBe('cpu');
    expect(start?.type === 'start' && start.provider.rejected[0]?.reason).toMatch(/SIGSEGV/);
    expect(events.at(-1)?.type).toBe('end');
    await engine.unload();
  });
});

describe('a provider by name', () => {
  it('is used when its self-test holds', async () => {
    expect(await chooser()(tested.dir, 'webgpu')).toMatchObject({ provider: 'webgpu', reason: expect.stringContaining('its self-test holds') as string });
  });

  it.each(['wrong', 'dies', 'absent'])('is refused when it is %s, with the reason and how to test again', async (how) => {
    process.env['FAKE_PROVIDER'] = how;
    await expect(chooser()(tested.dir, 'webgpu')).rejects.toMatchObject({ code: 'engine.provider-unavailable', subject: 'webgpu', hint: expect.stringContaining('tah providers --again') as string });
  });

  it('that the runtime does not know is refused without a test', async () => {
    await expect(noProbe()(tested.dir, 'dml')).rejects.toMatchObject({ code: 'engine.provider-unavailable', message: expect.stringContaining('has cpu, cuda, webgpu') as string });
  });

  it('cpu is never tested', async () => {
    expect((await noProbe()(tested.dir, 'cpu')).provider).toBe('cpu');
  });
});

describe('a verdict', () => {
  it('is kept across starts, for its model only, and is made anew when it is forgotten', async () => {
    process.env['FAKE_PROVIDER'] = 'wrong';
    await chooser()(tested.dir, 'auto');
    process.env['FAKE_PROVIDER'] = 'right';
    expect((await noProbe()(tested.dir, 'auto')).rejected[0]?.reason).toMatch(/numbers are wrong/);
    expect((await noProbe()(other.dir, 'auto')).rejected[0]?.reason).not.toMatch(/numbers are wrong/);
    new ProviderRecord(cache).forget();
    expect((await chooser()(tested.dir, 'webgpu')).provider).toBe('webgpu');
  });

  it('is made anew when a driver or the choice of a device changes', async () => {
    process.env['FAKE_PROVIDER'] = 'wrong';
    await chooser()(tested.dir, 'auto');
    process.env['FAKE_PROVIDER'] = 'right';
    process.env['VK_DRIVER_FILES'] = '/another/driver.json';
    try {
      expect((await chooser()(tested.dir, 'webgpu')).provider).toBe('webgpu');
    } finally {
      delete process.env['VK_DRIVER_FILES'];
    }
  });

  it('is made anew when the file is damaged, and works where the folder can not be written', async () => {
    fs.writeFileSync(path.join(cache, 'providers.json'), '{"format": "tah-provi');
    expect((await chooser()(tested.dir, 'webgpu')).provider).toBe('webgpu');
    fs.rmSync(cache, { recursive: true });
    fs.writeFileSync(cache, 'a file where the folder should be');
    expect((await chooser()(tested.dir, 'webgpu')).provider).toBe('webgpu');
  });

  it('of a device that was given up is kept for auto; chosen by name, it is tested to the end', async () => {
    process.env['SLOW_PROVIDER'] = 'webgpu=200';
    await chooser(60_000)(tested.dir, 'auto');
    expect((await noProbe()(tested.dir, 'auto')).rejected[0]?.reason).toMatch(/^too slow: /);
    expect(await chooser(60_000)(tested.dir, 'webgpu')).toMatchObject({ provider: 'webgpu', reason: expect.stringContaining('its self-test holds') as string });
    expect((await noProbe()(tested.dir, 'auto')).rejected[0]?.reason).toMatch(/^right, but slower: /);
  });

  it('of a device that gave no answer holds for a name that would wait no longer', async () => {
    process.env['FAKE_PROVIDER'] = 'hangs';
    await chooser(4000)(tested.dir, 'auto');
    process.env['FAKE_PROVIDER'] = 'right';
    await expect(chooser(4000)(tested.dir, 'webgpu')).rejects.toMatchObject({ message: expect.stringContaining('no answer within 4 s') as string });
    expect((await chooser(60_000)(tested.dir, 'webgpu')).provider).toBe('webgpu');
  });

  it('is not waited for by one who has left', async () => {
    process.env['FAKE_PROVIDER'] = 'hangs';
    const abort = new AbortController();
    const choosing = chooser(60_000)(tested.dir, 'webgpu', abort.signal);
    setTimeout(() => { abort.abort(); }, 300);
    await expect(choosing).rejects.toMatchObject({ code: 'cancelled' });
    expect(new ProviderRecord(cache)).toBeDefined();
    expect(fs.existsSync(path.join(cache, 'providers.json'))).toBe(false);
  });
});
