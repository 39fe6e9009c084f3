/** The bundled formula worker: images in the colour asked for, faults in words, hostile TeX inert, nothing that hangs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONGEST_DRAWN, MathService } from '../../../../src/host/math/mathService.ts';
import { MathWorkerClient } from '../../../../src/host/math/mathWorkerClient.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tah-math-'));
let client: MathWorkerClient;
let math: MathService;

function fakeWorker(name: string, code: string): MathWorkerClient {
  const file = path.join(folder, `${name}.cjs`);
  writeFileSync(file, `const { parentPort } = require('node:worker_threads'); parentPort.postMessage('ready'); let n = 0; parentPort.on('message', ({ id, request }) => { ${code} });`);
  return new MathWorkerClient({ workerPath: file, timeoutMs: 300 });
}

beforeAll(() => {
  execFileSync(process.execPath, ['esbuild.mjs', '--only', 'mathWorker', '--quiet', '--outdir', folder]);
  client = new MathWorkerClient({ workerPath: path.join(folder, 'mathWorker.cjs'), timeoutMs: 60_000 });
  math = new MathService(client);
});
afterAll(() => {
  math.dispose();
  rmSync(folder, { recursive: true });
});

async function svgOf(tex: string, display = false, color = '#abcdef'): Promise<string> {
  const drawn = await math.draw({ tex, display }, color);
  if (drawn.kind !== 'done') throw new Error(`${tex}: ${JSON.stringify(drawn)}`);
  expect(drawn.value.width).toBeGreaterThan(0);
  return drawn.value.svg;
}

describe('a drawn formula', () => {
  it.each(['#d4d4d4', '#1f1f1f', '#ffffff', '#000000'])('has the colour of the theme: %s', async (color) => {
    const svg = await svgOf(String.raw`\frac{-b\pm\sqrt{b^2-4ac}}{2a}`, true, color);
    expect(svg).toMatch(new RegExp(`^<svg[^>]* color="${color}"`));
    expect(svg).toContain('fill="currentColor"');
  });

  it.each([
    'x^2', String.raw`\begin{align}a&=b\\c&=d\end{align}`, String.raw`\begin{equation}x=1\label{eq}\end{equation}`, String.raw`\begin{cases}1&x>0\\2\end{cases}`, String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}`,
    String.raw`\mathbb{R}\mathcal{L}\mathfrak{g}\mathscr{S}`, String.raw`\text{если } x \text{ 求}`, String.raw`\color{red}{x}`, String.raw`\bra{a}\ket{b}`, String.raw`\operatorname{arg\,max}_x f`, String.raw`\cancel{x}\boldsymbol{y}`, String.raw`\tag{1} x`, 'α≤β→∞',
  ])('%s', async (tex) => {
    expect(await svgOf(tex, true)).toMatch(/<(?:path|text|rect)/);
  });

  it.each([
    [String.raw`\foo`, String.raw`Undefined control sequence \foo`],
    [String.raw`\frac{1`, 'Missing close brace'],
    ['x^2^3', 'Double exponent'],
    [String.raw`\begin{align}x`, String.raw`Missing \end{align}`],
    [String.raw`\left( x`, String.raw`Extra \left or missing \right`],
    ['a & b', 'Misplaced &'],
  ])('that is wrong says what is wrong: %s', async (tex, message) => {
    const drawn = await math.draw({ tex, display: true }, '#000');
    expect(drawn).toMatchObject({ kind: 'fault' });
    expect(drawn.kind === 'fault' ? drawn.message : '').toContain(message.slice(0, 14));
  });

  it.each([
    String.raw`\href{javascript:alert(1)}{x}`, String.raw`\style{background:url(http://a/b)}{x}`, String.raw`\class{a}{x}`, String.raw`\require{html}\href{http://a}{x}`, String.raw`\unicode[url(http://a)]{65}`,
    String.raw`\color{url(http://a/b#c)}{x}`, String.raw`\text{<script>alert(1)</script><img src=x onerror=alert(1)>}`, String.raw`\fcolorbox{url(http://a)}{"onload=alert(1)}{x}`, String.raw`\def\a{\a\a}\a`, String.raw`\mmlToken{mi}[href="javascript:alert(1)"]{x}`, String.raw`\includegraphics{http://a/b}`,
  ])('that is hostile is refused or inert: %s', async (tex) => {
    const drawn = await math.draw({ tex, display: true }, '#000000');
    if (drawn.kind !== 'done') return;
    expect(drawn.value.svg).not.toMatch(/<(?:script|img|a|foreignObject|image|style|iframe)\b|\son\w+=|url\(|href="(?!#)|style=/i);
  });

  it('in its cache is the same image, and a long one is not drawn at all', async () => {
    expect(await svgOf('q+1')).toBe(await svgOf('q+1'));
    expect(await math.draw({ tex: 'x+'.repeat(5000), display: true }, '#000')).toEqual({ kind: 'too-long' });
    expect(LONGEST_DRAWN).toBeLessThan(10_000);
  });
});

describe('a formula in words', () => {
  it.each([
    ['x^2', 'en', 'x squared'],
    [String.raw`\frac{1}{2}`, 'en', 'one half'],
    [String.raw`\int_0^1 x\,dx`, 'en-us', 'the integral from 0 to 1'],
    [String.raw`\sqrt{x}`, 'de', 'Quadratwurzel'],
    [String.raw`\sqrt{x}`, 'zh-cn', 'square root'],
    [String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, 'en', '2 by 2 matrix'],
  ])('%s in %s', async (tex, locale, words) => {
    const spoken = await math.speak({ tex, display: false }, locale);
    expect(spoken.kind === 'done' ? spoken.value : JSON.stringify(spoken)).toContain(words);
  });
});

describe('the formula worker', () => {
  it('is ended when a formula takes too long, and the next one gets a new worker', async () => {
    const slow = fakeWorker('slow', `if (request.tex === 'hang') for (;;); parentPort.postMessage({ id, reply: { kind: 'words', words: request.tex } });`);
    const [hung, next] = await Promise.all([slow.ask({ kind: 'speak', tex: 'hang', display: false, locale: 'en' }), slow.ask({ kind: 'speak', tex: 'ok', display: false, locale: 'en' })]);
    expect(hung).toEqual({ kind: 'slow' });
    expect(next).toEqual({ kind: 'words', words: 'ok' });
    slow.dispose();
  });

  it.each([['throws', `throw new Error('broken');`, 'broken'], ['exits', 'process.exit(3);', 'exit code 3']])('that %s says so, and the service asks anew', async (name, code, message) => {
    const service = new MathService(fakeWorker(name, code));
    for (let i = 0; i < 2; i += 1) expect(await service.draw({ tex: 'x', display: false }, '#000')).toEqual({ kind: 'failed', message });
    service.dispose();
  });

  it('answers everyone when it is closed', async () => {
    const slow = fakeWorker('closing', 'for (;;);');
    const asked = [slow.ask({ kind: 'speak', tex: 'a', display: false, locale: 'en' }), slow.ask({ kind: 'speak', tex: 'b', display: false, locale: 'en' })];
    slow.dispose();
    expect((await Promise.all([...asked, slow.ask({ kind: 'speak', tex: 'c', display: false, locale: 'en' })])).map(({ kind }) => kind)).toEqual(['failed', 'failed', 'failed']);
  });
});
