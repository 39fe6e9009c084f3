/** Guards against a translation that lags behind: a text that is missing, one that nothing says any more, a hole or a command link that was lost. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);

function readTexts(path: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')) as Record<string, string>;
}

/** Holes, commands, links to settings and code: what must be the same in every language. */
function fixedParts(text: string): string[] {
  return [...text.matchAll(/\{\d+\}|\(command:[\w.]+\)|`[^`]+`/g)].map((match) => match[0]).sort();
}

describe.each(['de', 'zh-cn'])('the translation into %s', (language) => {
  describe.each([[`l10n/bundle.l10n.${language}.json`, 'l10n/bundle.l10n.json'], [`package.nls.${language}.json`, 'package.nls.json']])('%s', (path, english) => {
    const own = readTexts(path);
    const source = readTexts(english);

    it('has every text, and none that there is no more', () => {
      expect(Object.keys(own).sort()).toEqual(Object.keys(source).sort());
    });

    it('keeps holes, commands and code', () => {
      for (const [key, text] of Object.entries(own)) expect(fixedParts(text), key).toEqual(fixedParts(source[key] ?? ''));
    });

    it('is a translation: no text is empty, and few are as in English', () => {
      const same = Object.entries(own).filter(([key, text]) => text === source[key] && /[a-z]{3}.* .*[a-z]{3}/.test(text));
      expect(Object.values(own).every((text) => text.trim() !== '')).toBe(true);
      expect(same).toEqual([]);
    });
  });
});

it('there is no other translation that no test looks at', () => {
  const bundles = readdirSync(new URL('l10n', root)).sort();
  expect(bundles).toEqual(['bundle.l10n.de.json', 'bundle.l10n.json', 'bundle.l10n.zh-cn.json']);
});
