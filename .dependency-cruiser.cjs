// The rooms of ARCHITECTURE.md and who may import whom; `npm run architecture` fails on a breach or an import cycle.
const room = (name) => `^src/${name}/`;
const builtin = { dependencyTypes: ['core'] };

/** A rule: files of `from` may import, inside src/, only the rooms of `allowed` and their own room. */
const mayImport = (from, allowed) => ({
  name: `${from}-imports`,
  severity: 'error',
  from: { path: room(from) },
  to: { path: '^src/', pathNot: [from, ...allowed].map(room) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^vscode$' } },
    { name: 'protocol-imports-nothing', severity: 'error', from: { path: room('protocol') }, to: { pathNot: room('protocol') } },
    mayImport('protocol', []),
    mayImport('disk', []),
    mayImport('engine', ['protocol']),
    mayImport('importer', ['protocol', 'disk']),
    mayImport('hub', ['protocol', 'disk']),
    mayImport('diagnosis', ['protocol']),
    mayImport('answer', ['protocol']),
    mayImport('formula', ['protocol']),
    mayImport('eval', ['protocol', 'answer']),
    mayImport('serve', ['protocol']),
    mayImport('endpoint', ['protocol']),
    mayImport('host', ['endpoint', 'protocol', 'disk', 'answer', 'hub', 'diagnosis', 'formula']),
    mayImport('features', ['host', 'endpoint', 'protocol', 'answer', 'formula']),
    mayImport('webview', ['protocol', 'formula']),
    {
      name: 'feature-imports-no-other-feature',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/([^/]+)/', pathNot: '^src/features/$1/' },
    },
    { name: 'onnx-knows-no-model', severity: 'error', from: { path: '^src/importer/onnx/' }, to: { path: '^src/', pathNot: '^src/importer/onnx/' } },
    { name: 'only-session-imports-onnxruntime', severity: 'error', from: { path: '^src/', pathNot: '^src/engine/session\\.ts$' }, to: { path: 'onnxruntime' } },
    { name: 'only-the-host-knows-vscode', severity: 'error', from: { path: '^src/', pathNot: ['^src/host/', '^src/features/', '^src/extension\\.ts$'] }, to: { path: '^vscode$' } },
    { name: 'webview-uses-no-node', severity: 'error', from: { path: room('webview') }, to: builtin },
    { name: 'rooms-import-no-main', severity: 'error', from: { path: '^src/[^/]+/' }, to: { path: '^src/[^/]+\\.ts$' } },
    { name: 'main-extension', severity: 'error', from: { path: '^src/extension\\.ts$' }, to: { path: '^src/', pathNot: ['host', 'features', 'protocol'].map(room) } },
    { name: 'main-engine-process', severity: 'error', from: { path: '^src/engineProcess\\.ts$' }, to: { path: '^src/', pathNot: ['engine', 'importer', 'protocol'].map(room) } },
    { name: 'main-provider-probe', severity: 'error', from: { path: '^src/providerProbe\\.ts$' }, to: { path: '^src/', pathNot: ['engine', 'protocol'].map(room) } },
    { name: 'main-check-worker', severity: 'error', from: { path: '^src/checkWorker\\.ts$' }, to: { path: '^src/', pathNot: ['answer', 'protocol'].map(room) } },
    { name: 'main-math-worker', severity: 'error', from: { path: '^src/mathWorker\\.ts$' }, to: { path: '^src/', pathNot: ['formula', 'protocol'].map(room) } },
    { name: 'only-the-worker-typesets', severity: 'error', from: { path: '^src/', pathNot: ['^src/formula/typeset/', '^src/mathWorker\\.ts$', '^src/webview/'] }, to: { path: '^(node_modules/(@mathjax|speech-rule-engine)|src/formula/typeset/(?!messages))' } },
    { name: 'main-cli', severity: 'error', from: { path: '^src/cli\\.ts$' }, to: { path: '^src/', pathNot: ['cli', 'engine', 'importer', 'hub', 'diagnosis', 'eval', 'serve', 'endpoint', 'answer', 'protocol'].map(room) } },
    { name: 'main-bench', severity: 'error', from: { path: '^src/bench\\.ts$' }, to: { path: '^src/', pathNot: ['bench', 'cli', 'engine', 'importer', 'protocol'].map(room) } },
    mayImport('bench', ['cli', 'engine', 'importer', 'protocol']),
    // Run files are one format for both: the command line writes what the extension shows.
    { name: 'cli-imports', severity: 'error', from: { path: room('cli') }, to: { path: '^src/', pathNot: [...['cli', 'engine', 'importer', 'hub', 'diagnosis', 'eval', 'serve', 'endpoint', 'answer', 'protocol'].map(room), '^src/host/runFile\\.ts$'] } },
    { name: 'run-file-imports', severity: 'error', from: { path: '^src/host/runFile\\.ts$' }, to: { path: '^src/', pathNot: [room('protocol')] } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], extensions: ['.ts', '.mjs', '.js', '.json'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
