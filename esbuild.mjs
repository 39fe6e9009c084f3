// Bundles every main of src/ into dist/. `--only cli` builds one bundle; `--quiet` says nothing unless it fails.
// `--outdir DIR` writes elsewhere; `--metafile FILE` lists the files that went into the bundles (for the third-party notices).
import { build, transform } from 'esbuild';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    production: { type: 'boolean', default: false },
    outdir: { type: 'string', default: 'dist' },
    metafile: { type: 'string' },
  },
});

/** The files of src/, in an order that is the same everywhere. */
function sources() {
  const files = readdirSync('src', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => path.join(entry.parentPath, entry.name)).sort();
}

/** Extension host and engine process must come from the same sources: they compare this at their handshake. */
function buildId() {
  const hash = createHash('sha256');
  for (const file of sources()) hash.update(readFileSync(file));
  return `${JSON.parse(readFileSync('package.json', 'utf8')).version}-${hash.digest('hex').slice(0, 12)}`;
}

/** Folder of the extension's pieces, in the output folder. */
const PIECES = 'pieces';

/** @type {import('esbuild').BuildOptions} */
const node = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  outdir: values.outdir,
  // Native or provided by the host: resolved at run time.
  external: ['vscode', 'onnxruntime-node'],
  sourcemap: values.production ? false : 'linked',
  minify: values.production,
  legalComments: 'none',
  logLevel: 'warning',
  // Some dependencies are ES modules that ask for their own URL.
  define: { 'import.meta.url': '__bundleUrl', 'import.meta.dirname': '__dirname', __TAH_BUILD__: JSON.stringify(buildId()) },
  banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/**
 * One module that takes the API apart, for all files: esbuild would copy its 400 names for each file that imports it,
 * which was half of the start.
 */
const vsCodeOnce = {
  name: 'vscode-once',
  setup: (/** @type {import('esbuild').PluginBuild} */ { onLoad, onResolve }) => {
    onResolve({ filter: /^vscode$/ }, ({ kind }) => (kind === 'require-call' ? { path: 'vscode', external: true } : { path: 'vscode', namespace: 'vscode-once' }));
    onLoad({ filter: /.*/, namespace: 'vscode-once' }, () => {
      const names = new Set(sources().flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bvscode\.(\w+)/g)].map(([, name]) => name)));
      return { contents: `export const { ${[...names].sort().join(', ')} } = require('vscode');` };
    });
  },
};

/**
 * Bundles in pieces: VS Code waits for the main alone, and what an `import()` asks for is read when it is asked for.
 * esbuild splits ES modules only, so each piece becomes CommonJS in a second step: in the extension host every import
 * of an ES module passes VS Code's loader hook, which costs more than the splitting saves.
 * @param {import('esbuild').BuildOptions} options
 */
async function buildInPieces({ banner, sourcemap, ...options }) {
  // Pieces have names of their contents: those of an earlier build would stay.
  await rm(path.join(values.outdir, PIECES), { recursive: true, force: true });
  const map = sourcemap === false ? false : 'inline';
  const split = await build({ ...options, format: 'esm', splitting: true, chunkNames: `${PIECES}/[name]-[hash]`, sourcemap: map, write: false, metafile: true });
  for (const { path: file, text } of split.outputFiles) {
    const { code } = await transform(text, { format: 'cjs', platform: 'node', target: 'node20', supported: { 'dynamic-import': false }, banner: banner?.js ?? '', sourcemap: map, minify: values.production, legalComments: 'none' });
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, code);
  }
  return split;
}

/** @type {import('esbuild').BuildOptions} */
const browser = {
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  outdir: values.outdir,
  sourcemap: values.production ? false : 'linked',
  minify: values.production,
  logLevel: 'warning',
};

/** The formula worker's speech rules; keep in step with src/formula/typeset/speech.ts. */
const SPEECH_RULES = ['base', 'en', 'de', 'es', 'fr', 'it', 'ko'];

/** speech-rule-engine asks for its libraries through eval, where no bundler sees them. */
const speechLibraries = {
  name: 'speech-libraries',
  setup: (/** @type {import('esbuild').PluginBuild} */ { onLoad }) => {
    onLoad({ filter: /speech-rule-engine[\\/]mjs[\\/]common[\\/]system_external\.js$/ }, async ({ path: file }) => {
      const hidden = "return eval('require');";
      const source = await readFile(file, 'utf8');
      if (!source.includes(hidden)) throw new Error(`${file} no longer has "${hidden}"; see how it finds its libraries now.`);
      const libraries = "{ '@xmldom/xmldom': require('@xmldom/xmldom'), 'wicked-good-xpath': require('wicked-good-xpath'), fs: require('node:fs') }";
      return { contents: source.replace(hidden, `return (name) => (${libraries})[name];`) };
    });
  },
};

const bundles = {
  extension: { ...node, entryPoints: { extension: 'src/extension.ts' }, plugins: [vsCodeOnce], logOverride: { 'import-is-undefined': 'error' } },
  engineProcess: { ...node, entryPoints: { engineProcess: 'src/engineProcess.ts' } },
  cli: { ...node, entryPoints: { cli: 'src/cli.ts' } },
  bench: { ...node, entryPoints: { bench: 'src/bench.ts' } },
  providerProbe: { ...node, entryPoints: { providerProbe: 'src/providerProbe.ts' } },
  checkWorker: { ...node, entryPoints: { checkWorker: 'src/checkWorker.ts' } },
  mathWorker: { ...node, entryPoints: { mathWorker: 'src/mathWorker.ts' }, plugins: [speechLibraries] },
  webview: { ...browser, entryPoints: { webview: 'src/webview/main.ts' } },
  comparison: { ...browser, entryPoints: { comparison: 'src/webview/comparison/main.ts' } },
};

// The command line checks answers and tests providers in the same programs as the extension does.
const needs = { cli: ['cli', 'checkWorker', 'providerProbe'], bench: ['bench', 'cli', 'checkWorker', 'providerProbe'] };
// The bench is the project's own tool: no part of the product.
const names = values.only ? (needs[values.only] ?? [values.only]) : Object.keys(bundles).filter((name) => name !== 'bench');
for (const name of names) {
  if (!(name in bundles)) throw new Error(`esbuild.mjs: no bundle named "${name}"; there are ${Object.keys(bundles).join(', ')}`);
}
const start = Date.now();
await mkdir(values.outdir, { recursive: true });
const results = await Promise.all(names.map((name) => (name === 'extension' ? buildInPieces(bundles[name]) : build({ ...bundles[name], metafile: true }))));
if (!values.only) await cp('node_modules/@vscode/codicons/dist', `${values.outdir}/codicons`, { recursive: true });
if (names.includes('mathWorker')) {
  for (const name of SPEECH_RULES) await cp(`node_modules/speech-rule-engine/lib/mathmaps/${name}.json`, `${values.outdir}/mathmaps/${name}.json`);
}
if (values.metafile) {
  const inputs = new Set(results.flatMap((result) => Object.keys(result.metafile.inputs)));
  await writeFile(values.metafile, JSON.stringify([...inputs].sort()));
}
if (!values.quiet) console.log(`esbuild: ${names.join(', ')} in ${Date.now() - start} ms`);
