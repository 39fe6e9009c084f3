/** The English bundle that translators start from holds every text of host, hub and webview, and of the reasons that come from elsewhere, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_TEXTS } from '../../../src/protocol/errorTexts.ts';
import { REASON_TEXTS } from '../../../src/protocol/reasons.ts';

const root = new URL('../../../', import.meta.url);

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')) as Record<string, unknown>;
}

/** First arguments of `l10n.t('…')` and `phrase('…')` in the sources. */
function textsInSources(sources: readonly string[]): Set<string> {
  const texts = new Set<string>();
  for (const source of sources) {
    for (const match of source.matchAll(/(?:l10n\.t|\bphrase)\(\s*'((?:[^'\\]|\\.)*)'/g)) texts.add((match[1] ?? '').replace(/\\(.)/g, '$1'));
  }
  return texts;
}

describe('texts', () => {
  const files = ['src/host', 'src/hub', 'src/features', 'src/webview'].flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`));
  const sources = files.map((file) => readFileSync(new URL(file, root), 'utf8'));

  it('are all in l10n/bundle.l10n.json: none stays untranslatable', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(Object.keys(readJson('l10n/bundle.l10n.json')).sort()).toEqual([...new Set([...textsInSources(sources), ...Object.values(REASON_TEXTS), ...Object.values(ERROR_TEXTS)])].sort());
  });

  it('of contributions are all in package.nls.json, so that no %key% is shown', () => {
    const keys = [...readFileSync(new URL('package.json', root), 'utf8').matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]);
    expect(Object.keys(readJson('package.nls.json')).sort()).toEqual([...new Set(keys)].sort());
  });
});
