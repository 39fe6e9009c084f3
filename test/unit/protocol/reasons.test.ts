/** Guards against a reason that a user reads in a language that is not theirs, and one that is longer than anyone reads. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkAnswerNow } from '../../../src/answer/check.ts';
import { answerCheck, checkReason } from '../../../src/protocol/answer.ts';
import { REASON_TEXTS, reason, sayReason, sayReasons, sayTold, told } from '../../../src/protocol/reasons.ts';

const root = new URL('../../../', import.meta.url);
const bundle = (language: string): Record<string, string> => JSON.parse(readFileSync(new URL(`l10n/bundle.l10n.${language}.json`, root), 'utf8')) as Record<string, string>;

/** As VS Code does it. */
function translator(language: string): (text: string, ...values: string[]) => string {
  const texts = bundle(language);
  return (text, ...values) => (texts[text] ?? text).replace(/\{(\d+)\}/g, (hole, index: string) => values[Number(index)] ?? hole);
}

describe('reasons', () => {
  it.each(['de', 'zh-cn'])('have a text for every kind in %s', (language) => {
    const texts = bundle(language);
    expect(Object.entries(REASON_TEXTS).filter(([, text]) => texts[text] === undefined)).toEqual([]);
  });

  it('are said in the language of the user, parts within sentences too', () => {
    const german = translator('de');
    const divided = checkAnswerNow('1/(x-1) = 2', 'x = 1');
    expect(divided.reason).toBe('With x = 1 the equation has no value: it divides by zero.');
    expect(checkReason(divided, german)).toBe('Mit x = 1 hat die Gleichung keinen Wert: es wird durch null geteilt.');
    const missing = checkAnswerNow('x^2 - 5x + 6 = 0', 'x = 2');
    expect(missing.reason).toMatch(/^The answer is not complete: there are 2 solutions, and x = 3 is missing\. .*both sides are equal\.$/);
    expect(checkReason(missing, german)).toMatch(/^Die Antwort ist nicht vollständig: Es gibt 2 Lösungen, und x = 3 fehlt\. .*Beide Seiten sind gleich\.$/);
    expect(checkReason(checkAnswerNow('sqrt(2)+1', '3'), translator('zh-cn'))).toMatch(/不是 3。$/);
  });

  it('stay English where only the English is known, as in run files of before', () => {
    expect(checkReason({ reason: 'Put back in.' }, translator('de'))).toBe('Put back in.');
  });

  it('of providers and of the engine\'s end are said in the user\'s language around what a driver or a process has said', () => {
    const slow = told('provider-too-slow', '4', '2.0', reason('tokens-a-second', '919'));
    expect(slow.reason).toBe('too slow: 4 tokens in 2.0 s, where the CPU makes 919 tokens/s');
    expect(sayTold(slow, translator('de'))).toBe('zu langsam: 4 Token in 2.0 s, wo die CPU 919 Tokens/s schafft');
    expect(sayTold(slow, translator('zh-cn'))).toBe('太慢：2.0 秒内 4 个词元，而 CPU 为 919 词元/秒');
    const ended = told('process-said-last', reason('process-signal', 'SIGSEGV'), 'Illegal instruction');
    expect(ended.reason).toBe('signal SIGSEGV; it said last: Illegal instruction');
    expect(sayTold(ended, translator('de'))).toBe('Signal SIGSEGV; letzte Ausgabe: Illegal instruction');
    expect(sayTold({ reason: 'No driver.' }, translator('de'))).toBe('No driver.');
    // The log and Diagnose have all of it.
    expect(told('provider-failed', 'x'.repeat(5000)).reason).toHaveLength(5022);
  });

  it('fill each hole once: mathematics with braces is no hole', () => {
    expect(sayReason(reason('value-is', 'x^{1}', '{0}'))).toBe('x^{1} = {0}.');
  });

  it('are never longer than a reader reads, however long the mathematics and however many the sentences', () => {
    const long = answerCheck('verified', Array.from({ length: 1000 }, () => reason('sides-equal', '1+'.repeat(5000))));
    expect(long.reason.length).toBeLessThan(450);
    expect(JSON.stringify(long).length).toBeLessThan(30_000);
    expect(sayReasons(long.why ?? [], translator('de')).length).toBeLessThan(450);
  });
});
