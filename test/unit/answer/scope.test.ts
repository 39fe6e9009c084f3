import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { patternsOf, piecesOf, ScopeJudge } from '../../../src/answer/scope.ts';
import { judgeScope, readSubjects } from '../../../src/answer/scopeFile.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const CHECKPOINT = path.join(ROOT, 'models/tah-math-small/checkpoint');

function lines(file: string): readonly { readonly question: string; readonly family: string }[] {
  return fs.readFileSync(path.join(ROOT, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { question: string; family: string });
}

async function bundled(): Promise<ScopeJudge> {
  const declared = await readSubjects(CHECKPOINT);
  if (declared === null) throw new Error('the bundled checkpoint declares no subjects');
  return new ScopeJudge(declared);
}

describe('reading a question', () => {
  it('is what the training does, piece by piece: or the declaration would mean something else', () => {
    const read = fs.readFileSync(path.join(ROOT, 'test/fixtures/scope/pieces.jsonl'), 'utf8').trim().split('\n');
    expect(read.length).toBeGreaterThan(200);
    for (const line of read) {
      const { question, pieces, patterns } = JSON.parse(line) as { question: string; pieces: [string, boolean][]; patterns: string[] };
      const found = piecesOf(question);
      expect([question, found.map(({ text, glued }) => [text, glued]), patternsOf(found)]).toEqual([question, pieces, patterns]);
    }
  });
});

describe('the bundled model’s scope', () => {
  it('has at most 2 % of its held-out questions outside', async () => {
    const judge = await bundled();
    const held = lines('models/tah-math-small/heldout.jsonl').filter(({ family }) => family !== 'refuse');
    const outside = held.filter(({ question }) => judge.judgeQuestion(question).state === 'outside');
    expect(held.length).toBeGreaterThan(2000);
    expect(outside.length / held.length).toBeLessThanOrEqual(0.02);
  });

  it('has at least 95 % of long word problems and of other texts outside', async () => {
    const judge = await bundled();
    for (const file of ['test/fixtures/gsm8k/sample.jsonl', 'test/fixtures/scope/outside.jsonl']) {
      const texts = lines(file);
      const outside = texts.filter(({ question }) => judge.judgeQuestion(question).state === 'outside');
      expect([file, outside.length / texts.length >= 0.95]).toEqual([file, true]);
    }
  });

  it.each([
    ['Solve 3x + 5 = 20 for x', null],
    ['pls   calculate 12×(9−4)', null],
    ['Sarah has 12 apples and gives 5 to Tom. How many apples are left?', null],
    ['calcualte 15% of 240', null],
    ['   ', 'nothing-asked'],
    ['$$', 'nothing-asked'],
    ['Find the integral of x^2', 'words'],
    ['∫ 3x² dx', 'signs'],
    ['3x + 5 > 20', 'signs'],
    ['2^x = 16', 'signs'],
    ['x^3 - 6x^2 + 11x - 6 = 0', 'signs'],
    ['Solve x³ = 27', 'signs'],
    ["y' = 3y", 'signs'],
    ['41!', 'signs'],
    ['3! * 2', 'signs'],
    ['x^2 - 5x + 6 = 0!!', null],
    ['f(x) = x^3 - 2x, differentiate', null],
    ['Differentiate x^3 - 2x', null],
    ['calc 12 × (3 + 9)!!', null],
    ['8734 * 9122', 'number'],
    ['123456789 + 1', 'number'],
    ['Löse die Gleichung 3x + 5 = 20', 'words'],
    ['one two three '.repeat(40), 'too-long'],
  ])('judges %j: %s', async (question, kind) => {
    const verdict = (await bundled()).judgeQuestion(question);
    expect(verdict.state === 'outside' ? verdict.reason.kind : null).toBe(kind);
  });

  it('names what it can do, and what it does not know', async () => {
    const verdict = (await bundled()).judgeQuestion('What is the determinant of 5?');
    expect(verdict).toMatchObject({ state: 'outside', reason: { kind: 'words', words: ['determinant'] } });
    expect(verdict.state === 'outside' && verdict.subjects.length).toBeGreaterThan(10);
  });

  it('believes the model when it refuses, whatever the spaces', async () => {
    const judge = await bundled();
    const declared = await readSubjects(CHECKPOINT);
    expect(judge.judgeText(`  ${declared?.refusal.replaceAll(' ', '\n') ?? ''}`)).toMatchObject({ state: 'outside', reason: { kind: 'refused' } });
    expect(judge.judgeText('$\\boxed{4}$')).toBeNull();
  });
});

describe('a model that declares nothing', () => {
  it('has no scope, whatever is asked', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scope-'));
    try {
      expect(await judgeScope(folder, 'Prove Fermat’s last theorem', null)).toBeNull();
      expect(await judgeScope('https://localhost:1/v1', 'x', null)).toBeNull();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['{', 'not JSON'],
    ['{"subjects": []}', 'subjects'],
    ['{"subjects":[{"id":"a","title":"A","example":"1","range":"1"}],"refusal":"no","scope":{"names":[],"kinds":["a","b"],"largest":[1],"together":"AA==","longest":3}}', 'largest'],
    ['{"subjects":[{"id":"a","title":"A","example":"1","range":"1"}],"refusal":"no","scope":{"names":[],"kinds":["a","b"],"largest":[1,1],"together":"AAAA","longest":3}}', 'together'],
  ])('is not the same as one with a damaged declaration: %s', async (text, word) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scope-'));
    try {
      fs.writeFileSync(path.join(folder, 'subjects.json'), text);
      await expect(readSubjects(folder)).rejects.toMatchObject({ code: 'model.bad-manifest', message: expect.stringContaining(word) as string });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
