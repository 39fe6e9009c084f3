/** The command line as a user starts it: the built bundle in its own process. */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRunFile } from '../../../src/host/runFile.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const VECTORS = path.join(ROOT, 'test/golden/vectors');
let dist: string;
let tiny: TinyModel;

beforeAll(async () => {
  // Inside the clone: the bundle finds onnxruntime-node in its node_modules.
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  dist = fs.mkdtempSync(path.join(ROOT, '.cache/cli-test-'));
  await promisify(execFile)(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet', '--outdir', dist], { cwd: ROOT });
  tiny = await importTinyModel();
});
afterAll(() => {
  fs.rmSync(dist, { recursive: true, force: true });
  tiny.remove();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function tah(args: readonly string[], options: { input?: string; onOutput?: (child: ReturnType<typeof spawn>) => void } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(dist, 'cli.cjs'), ...args], { cwd: dist, stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      options.onOutput?.(child);
    });
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });
}

const solveTiny = (...more: string[]): string[] => ['solve', '3x + 5 = 20', '--model', tiny.dir, '--max-tokens', '12', '--temperature', '0', ...more];

describe('tah solve', () => {
  it('--json is one document with everything that the manual names', async () => {
    const { code, stdout } = await tah(solveTiny('--json'));
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(code).toBe(0);
    for (const key of ['text', 'answer', 'check', 'passes', 'passesPerToken', 'endReason', 'model', 'provider', 'tokens']) expect(document).toHaveProperty(key);
    expect(document['check']).toMatchObject({ state: 'unchecked' });
    expect(document['tokens']).toHaveLength(12);
    expect(document['endReason']).toBe('max-tokens');
  });

  it('tells people the sent tokens, answer, check and cost, without colours when piped', async () => {
    const { code, stdout } = await tah(solveTiny());
    expect(code).toBe(0);
    for (const word of ['Answer', 'Check', 'Second pass', 'passes a token', 'tokens a second', 'on cpu']) expect(stdout).toContain(word);
    expect(stdout).not.toContain('\u001b');
  });

  it('reads the problem from standard input, and refuses an empty one', async () => {
    const given = await tah(['solve', '-', '--model', tiny.dir, '--max-tokens', '2', '--json'], { input: '1 + 1' });
    expect(JSON.parse(given.stdout)).toMatchObject({ problem: '1 + 1' });
    const empty = await tah(['solve', '-', '--model', tiny.dir], { input: ' \n' });
    expect([empty.code, empty.stderr.split('\n')[0]]).toEqual([1, 'tah: There is no problem to solve.']);
  });

  it('the policies differ in their passes', async () => {
    const passes = async (policy: string): Promise<unknown> => (JSON.parse((await tah(solveTiny('--json', '--policy', policy))).stdout) as { passesPerToken: number }).passesPerToken;
    expect([await passes('never'), await passes('always')]).toEqual([1, 2]);
  });

  it('Ctrl+C stops it cleanly', async () => {
    let sent = false;
    const { code, stderr } = await tah(['solve', 'go on', '--model', tiny.dir, '--max-tokens', '100000', '--temperature', '2', '--seed', '1'], {
      onOutput: (child) => {
        if (!sent) child.kill('SIGINT');
        sent = true;
      },
    });
    // A random model may meet its end token before the signal does.
    expect([130, 0]).toContain(code);
    if (code === 130) expect(stderr.trim()).toBe('tah: Stopped.');
  });
});

describe('--save', () => {
  const target = (name: string): string => path.join(dist, name);

  it('writes a run that a reader takes, of a solve and of a measured text, with nothing of this machine in it', async () => {
    const solved = target('solved.tahrun.json');
    expect((await tah(solveTiny('--save', solved))).code).toBe(0);
    const run = readRunFile(fs.readFileSync(solved), solved);
    expect(run).toMatchObject({ kind: 'solve', problem: '3x + 5 = 20', state: 'done', endReason: 'max-tokens', check: { state: 'unchecked' } });
    expect([run.tokens.length, run.prompt.length > 3, run.model?.hash?.length]).toEqual([12, true, 64]);
    expect(fs.readFileSync(solved, 'utf8')).not.toContain(tiny.dir);

    const measured = target('measured.tahrun.json');
    expect((await tah(['measure', 'x = 5 and so on', '--model', tiny.dir, '--save', measured])).code).toBe(0);
    expect(readRunFile(fs.readFileSync(measured), measured)).toMatchObject({ kind: 'measure', problem: 'x = 5 and so on', endReason: 'end-of-text' });
  });

  it.each([
    ['run.json', 'ends with .tahrun.json'],
    ['no/such/folder/run.tahrun.json', 'there is no folder'],
  ])('to %s is refused before anything is computed', async (name, reason) => {
    const { code, stdout, stderr } = await tah(solveTiny('--save', target(name)));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(reason);
  });
});

describe('what a user may get wrong', () => {
  it.each([
    ['an unknown option', ['solve', 'x', '--colour'], /unknown option/],
    ['a value that is no number', ['solve', 'x', '--threshold', 'high'], /must be a number/],
    ['an unknown policy', ['solve', 'x', '--policy', 'often'], /never, decider, always/],
    ['a threshold without the decider', ['solve', 'x', '--policy', 'never', '--threshold', '0.5'], /--threshold goes with/],
    ['a model folder that is not there', ['solve', 'x', '--model', 'nowhere'], /There is no model in/],
    ['a checkpoint that was not imported', ['solve', 'x', '--model', path.join(VECTORS, 'tiny-tied/ckpt')], /not been imported/],
    ['a broken checkpoint', ['import', path.join(VECTORS, 'broken/decider-malicious-pickle'), '--out', 'never'], /iter_decider\.bin/],
    ['a folder without vectors', ['verify', path.join(VECTORS, 'broken')], /no golden vectors/],
    ['a text and a file', ['measure', 'x', '--file', 'y'], /either a text or --file/],
    ['a file that is not there', ['measure', '--file', 'nothing.txt'], /nothing\.txt can't be read/],
  ])('%s: one clear line, exit code 1, no stack', async (_, args, message) => {
    const { code, stdout, stderr } = await tah(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect([code, stdout]).toEqual([1, '']);
    expect(fs.existsSync(path.join(dist, 'never'))).toBe(false);
  });

  it('--json says the error as a document, --verbose adds the stack', async () => {
    const { code, stdout, stderr } = await tah(['solve', 'x', '--model', 'nowhere', '--json', '--verbose']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'model.not-found' } });
    expect(stderr).toMatch(/\n\s+at /);
  });
});

describe('other commands', () => {
  it('verify ends with 0 only where all holds', async () => {
    const good = await tah(['verify', path.join(VECTORS, 'sampling'), '--json']);
    expect([good.code, (JSON.parse(good.stdout) as { ok: boolean }).ok]).toEqual([0, true]);
    const bad = await tah(['verify', path.join(VECTORS, 'tiny-llama'), '--quantization', 'int4']);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('FAILS');
  });

  it('says one document with --json, also where a verification fails', async () => {
    const { code, stdout, stderr } = await tah(['verify', path.join(VECTORS, 'tiny-llama'), '--quantization', 'int4', '--json']);
    expect([code, (JSON.parse(stdout) as { ok: boolean }).ok]).toEqual([1, false]);
    expect(stderr).toContain('does not hold');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops a long run and ends with its exit code', async (stop, expected) => {
    let stopped = false;
    const { code, stderr } = await tah(['solve', 'x', '--model', tiny.dir, '--temperature', '0', '--max-tokens', '5000'], {
      onOutput: (child) => {
        if (!stopped) child.kill(stop);
        stopped = true;
      },
    });
    expect([code, stderr]).toEqual([expected, 'tah: Stopped.\n']);
  });

  it('refuses standard input that is no text, and a folder as a file', async () => {
    const binary = path.join(dist, 'binary');
    fs.writeFileSync(binary, Uint8Array.of(0x78, 0xff, 0xfe, 0));
    const bytes = await tah(['measure', '--file', binary, '--model', tiny.dir]);
    expect([bytes.code, bytes.stderr]).toEqual([1, expect.stringContaining('no UTF-8 text')]);
    const folder = await tah(['measure', '--file', dist, '--model', tiny.dir]);
    expect([folder.code, folder.stderr]).toEqual([1, expect.stringContaining("can't be read")]);
  });

  it('says a failure in one line, also where the message quotes a file with line breaks', async () => {
    const checkpoint = path.join(dist, 'quoted');
    fs.mkdirSync(checkpoint);
    fs.writeFileSync(path.join(checkpoint, 'config.json'), '{"vocab_size": NaN\n}\n');
    const { code, stderr } = await tah(['import', checkpoint, '--out', path.join(dist, 'quoted-out')]);
    expect([code, stderr.split('\n').length]).toEqual([1, 3]);
  });

  it('measure labels every token of a file with the self-oracle', async () => {
    const file = path.join(dist, 'text.txt');
    fs.writeFileSync(file, 'x = 5 and y = 7');
    const { code, stdout } = await tah(['measure', '--file', file, '--model', tiny.dir, '--json']);
    const document = JSON.parse(stdout) as { tokens: { oracle: string; text: string }[]; verdicts: Record<string, number> };
    expect(code).toBe(0);
    expect(document.tokens.every((token) => /^(hard|easy)-/.test(token.oracle))).toBe(true);
    expect(Object.values(document.verdicts).reduce((a, b) => a + b, 0)).toBe(document.tokens.length);
  });

  it('eval compares policies and thresholds into a folder, and goes on from what is there', async () => {
    const folder = path.join(dist, 'study');
    const file = path.join(dist, 'compared.jsonl');
    fs.writeFileSync(file, '{"question":"1+1","answer":"2","solution":"1+1=2"}\n{"question":"2+2","answer":"4"}\n');
    const compare = ['eval', file, '--model', tiny.dir, '--max-tokens', '4', '--json', '--out', folder, '--policies', 'never,always,oracle'];
    const first = JSON.parse((await tah(compare)).stdout) as { arms: { name: string }[]; solutions: { policies: { policy: string }[] } };
    expect(first.arms.map(({ name }) => name)).toEqual(['never', 'always']);
    expect(first.solutions.policies.map(({ policy }) => policy)).toEqual(['never', 'always', 'oracle']);
    const kept = fs.readFileSync(path.join(folder, 'study.jsonl'), 'utf8');
    const more = JSON.parse((await tah([...compare.slice(0, -1), 'never,decider', '--thresholds', '0,1'])).stdout) as { arms: { name: string }[] };
    expect(more.arms.map(({ name }) => name)).toEqual(['never', 'decider', 'decider at 0', 'decider at 1']);
    // What was there is there still, and was not run again.
    expect(fs.readFileSync(path.join(folder, 'study.jsonl'), 'utf8').startsWith(kept)).toBe(true);
    expect(JSON.parse(fs.readFileSync(path.join(folder, 'results.json'), 'utf8'))).toMatchObject({ format: 'tah-study/1', problems: 2 });
    expect(fs.readFileSync(path.join(folder, 'report.html'), 'utf8')).toContain('<figure>');
  }, 300_000);

  it('eval goes on from the results that it kept, and scores the decider on worked solutions', async () => {
    const file = path.join(dist, 'task.jsonl');
    fs.writeFileSync(file, [1, 2, 3].map((n) => JSON.stringify({ id: `p${n}`, question: `${n} + 1`, answer: String(n + 1), solution: `${n} + 1 = ${n + 1}` })).join('\n'));
    const results = path.join(dist, 'results.jsonl');
    const evaluate = ['eval', file, '--model', tiny.dir, '--max-tokens', '4', '--json', '--resume', results];
    const whole = JSON.parse((await tah(evaluate)).stdout) as { total: { problems: number }; tokens: number };
    expect(whole.total.problems).toBe(3);
    // As if it had been stopped after one problem.
    const [head, one = ''] = fs.readFileSync(results, 'utf8').split('\n');
    const marked = JSON.stringify({ ...(JSON.parse(one) as object), answer: 'kept' });
    fs.writeFileSync(results, `${head}\n${marked}\n`);
    const again = JSON.parse((await tah([...evaluate, '--results'])).stdout) as { total: { problems: number }; results: { answer: string | null }[] };
    expect([again.total.problems, again.results.length, again.results[0]?.answer]).toEqual([3, 3, 'kept']);
    const other = await tah([...evaluate, '--max-tokens', '5']);
    expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('input.bad-file')]);
    const decider = JSON.parse((await tah(['eval', file, '--decider', '--model', tiny.dir, '--json'])).stdout) as { problems: number; sent: { of: number }; tokens: number };
    expect(decider.problems).toBe(3);
    expect(decider.sent.of).toBe(decider.tokens);
    expect(decider.tokens).toBeGreaterThan(9);
  });

  it('makes a random checkpoint that imports, runs and is measured by bench', async () => {
    const [checkpoint, model] = [path.join(dist, 'random'), path.join(dist, 'model')];
    expect((await tah(['random-checkpoint', '--shape', 'tiny', '--out', checkpoint])).code).toBe(0);
    const imported = await tah(['import', checkpoint, '--out', model, '--quantization', 'int8', '--json']);
    expect(JSON.parse(imported.stdout)).toMatchObject({ out: model, quantization: 'int8' });
    const { code, stdout } = await tah(['bench', '--model', model, '--rounds', '1', '--tokens', '4', '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { policies: unknown[] }).policies).toHaveLength(1);
    const long = await tah(['bench', '--model', tiny.dir, '--tokens', '5000']);
    expect([long.code, long.stderr]).toEqual([1, expect.stringContaining('--tokens 448')]);
  });

  it('diagnose says what runs, names no home folder, and fails where something does', async () => {
    const { code, stdout } = await tah(['diagnose', '--model', tiny.dir, '--json']);
    expect(code).toBe(0);
    expect(stdout).not.toContain(os.homedir() + path.sep);
    expect(stdout).not.toContain(tiny.dir);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, models: [{ source: 'folder', quantization: 'fp32' }], selfCheck: { ok: true, text: expect.stringMatching(/tokens\/s/) as string } });
    const readable = await tah(['diagnose', '--model', tiny.dir]);
    expect(readable.stdout).toMatch(/^# Think-at-Hard: diagnosis[\s\S]*## Providers[\s\S]*Works:/);
    const broken = await tah(['diagnose', '--model', 'nowhere']);
    expect([broken.code, broken.stdout]).toEqual([1, expect.stringContaining('model.not-found')]);
  });
});
