/** Guards against an error that a user reads in a language that is not theirs, and one whose English detail is lost by it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readProblem } from '../../../src/host/problem/problem.ts';
import { ERROR_CODES, phrase, TahError } from '../../../src/protocol/errors.ts';
import { ERROR_TEXTS, sayError, sayErrorInLine } from '../../../src/protocol/errorTexts.ts';

const root = new URL('../../../', import.meta.url);
const bundle = (language: string): Record<string, string> => JSON.parse(readFileSync(new URL(`l10n/bundle.l10n.${language}.json`, root), 'utf8')) as Record<string, string>;

/** As VS Code does it. */
function translator(language: string): (text: string, ...values: string[]) => string {
  const texts = language === 'en' ? {} : bundle(language);
  return (text, ...values) => (texts[text] ?? text).replace(/\{(\d+)\}/g, (hole, index: string) => values[Number(index)] ?? hole);
}

function thrownBy(work: () => unknown): TahError {
  try {
    work();
  } catch (error) {
    return TahError.from(error);
  }
  throw new Error('Nothing was thrown.');
}

describe('errors', () => {
  it.each(['de', 'zh-cn'])('have a text for every code in %s', (language) => {
    const texts = bundle(language);
    expect(Object.keys(ERROR_TEXTS).sort()).toEqual(Object.keys(ERROR_CODES).sort());
    expect(Object.entries(ERROR_TEXTS).filter(([, text]) => texts[text] === undefined)).toEqual([]);
  });

  const gone = new TahError('endpoint.unreachable', 'big (127.0.0.1:1) can\'t be reached: ECONNREFUSED.', { hint: 'Check that it runs.' });

  it('are said by their code in another language, with their own words behind', () => {
    const own = 'big (127.0.0.1:1) can\'t be reached: ECONNREFUSED. Check that it runs.';
    expect(sayError(gone, translator('de'))).toEqual({ sentence: 'Der Endpunkt ist nicht erreichbar. Prüfen Sie, ob er läuft, seine Adresse und Ihr Netz.', detail: own });
    expect(sayErrorInLine(gone, translator('zh-cn'))).toBe(`无法连接端点。请检查其是否运行、地址和网络。 (${own})`);
    // As a run keeps it.
    expect(sayError(gone.toData(), translator('de')).detail).toBe(own);
  });

  it('are in English what they are', () => {
    expect(sayError(gone, translator('en'))).toEqual({ sentence: gone.message, detail: gone.hint });
    expect(sayErrorInLine(gone, translator('en'))).toBe(`${gone.message} Check that it runs.`);
  });

  it('that are phrases are translated whole, and logged in English', () => {
    const long = thrownBy(() => readProblem('1+'.repeat(12_000)));
    expect(long.message).toBe('The problem has 24 000 characters; at most 20 000 can be solved at once.');
    expect(sayErrorInLine(long, translator('de'))).toBe('Die Aufgabe hat 24 000 Zeichen; höchstens 20 000 können auf einmal gelöst werden. Wählen Sie eine einzelne Aufgabe aus.');
  });

  it('have values that are no holes', () => {
    expect(new TahError('input.bad-file', phrase('{0} and {1}', '{1}', 2)).message).toBe('{1} and 2');
  });
});
