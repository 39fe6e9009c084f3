/** Guards the start of the extension: a large library that is imported at the top of some file is loaded, and run, at every activation. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Libraries that are needed only when something is used; `await import(…)` loads them then. */
const LARGE = ['zod', 'vscode-jsonrpc', 'd3-shape', 'd3-scale', '@huggingface/blake3-jit', '@huggingface/hub', '@huggingface/jinja', '@huggingface/tokenizers', '@cortex-js/compute-engine', 'mathjs', '@mathjax/src', 'speech-rule-engine', 'markdown-it', '@bufbuild/protobuf', 'onnxruntime-node'];

/** What a file imports at its top, types left out. */
function staticImports(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm)].flatMap((match) => (/^(?:import|export)\s+\{(?:\s*type\s+[\w$]+,?)+\s*\}\s+from/.test(match[0]) ? [] : [match[1] ?? '']));
}

/** Every file that runs when the main does, and by whom it is imported; packages by their names. */
function loadedWith(main: string): Map<string, string> {
  const importedBy = new Map<string, string>([[main, '']]);
  const open = [main];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const name of staticImports(file)) {
      const target = name.startsWith('.') ? normalize(join(dirname(file), name)) : name;
      if (importedBy.has(target)) continue;
      importedBy.set(target, file);
      if (name.startsWith('.') && existsSync(join(root, target))) open.push(target);
    }
  }
  return importedBy;
}

describe('the start of the extension', () => {
  const loaded = loadedWith('src/extension.ts');

  it('is followed through all files', () => {
    expect(loaded.size).toBeGreaterThan(40);
    expect([...loaded.keys()]).toEqual(expect.arrayContaining(['vscode', 'src/host/services.ts', 'src/features/compare/comparisons.ts']));
  });

  it.each(LARGE)('does not load %s', (library) => {
    const importers = [...loaded].filter(([name]) => name === library || name.startsWith(`${library}/`)).map(([, file]) => file);
    expect(importers).toEqual([]);
  });
});
