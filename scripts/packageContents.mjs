/**
 * What belongs into a package: the targets there are, the native files of each, and how large a package may be.
 * Pure: knows names only, reads and writes nothing. Which other files are shipped is said by .vscodeignore.
 */

/** Compressed size of a VSIX, in bytes. */
export const MAX_PACKAGE_BYTES = 80 * 1024 * 1024;

/** @typedef {{ readonly platform: string, readonly arch: string, readonly native: readonly string[] }} Target */

const BINDING = 'onnxruntime_binding.node';
const LINUX = [BINDING, 'libonnxruntime.so.1'];
// DirectML for the dml provider; the two DirectX compiler libraries for webgpu.
const WINDOWS = [BINDING, 'onnxruntime.dll', 'DirectML.dll', 'dxcompiler.dll', 'dxil.dll'];
// The npm package carries the library a second time under its full version, which nothing loads.
const MAC = [BINDING, 'libonnxruntime.1.dylib'];

/**
 * VS Code's target names, as far as ONNX Runtime has binaries for them.
 * @type {Readonly<Record<string, Target>>}
 */
export const TARGETS = {
  'linux-x64': { platform: 'linux', arch: 'x64', native: LINUX },
  'linux-arm64': { platform: 'linux', arch: 'arm64', native: LINUX },
  'win32-x64': { platform: 'win32', arch: 'x64', native: WINDOWS },
  'win32-arm64': { platform: 'win32', arch: 'arm64', native: WINDOWS },
  'darwin-arm64': { platform: 'darwin', arch: 'arm64', native: MAC },
};

/** @type {Readonly<Record<string, string>>} */
const REFUSED = {
  'alpine-x64': 'ONNX Runtime has no binaries for Alpine Linux (musl).',
  'alpine-arm64': 'ONNX Runtime has no binaries for Alpine Linux (musl).',
  'linux-armhf': 'ONNX Runtime has no binaries for 32-bit ARM.',
  'darwin-x64': 'ONNX Runtime has no binaries for Macs with an Intel processor.',
  web: 'The engine is a native process, which a browser can\'t start.',
};

/**
 * @param {string} name a VS Code target, such as linux-x64
 * @returns {Target}
 * @throws {Error} one sentence, when no package can be made for it
 */
export function targetOf(name) {
  const target = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
  if (target !== undefined) return target;
  const known = Object.keys(TARGETS).join(', ');
  const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : 'There is no such target.';
  throw new Error(`No package can be made for "${name}": ${why} Packages can be made for ${known}.`);
}

/**
 * The target of a machine.
 * @param {{ readonly platform: string, readonly arch: string, readonly musl: boolean }} machine Node's names; `musl`: its C library
 */
export function targetOfMachine({ platform, arch, musl }) {
  return `${platform === 'linux' && musl ? 'alpine' : platform}-${arch}`;
}

/**
 * The files of node_modules that are shipped, relative to node_modules: the engine's native binding and the little
 * JavaScript around it. Everything else is in the bundles.
 * @param {Target} target
 * @returns {readonly { readonly path: string, readonly matching?: RegExp }[]} a file, or the files of a folder (deep) that match
 */
export function shippedModules(target) {
  const bin = `onnxruntime-node/bin/napi-v6/${target.platform}/${target.arch}`;
  return [
    { path: 'onnxruntime-node/package.json' },
    { path: 'onnxruntime-node/dist', matching: /\.js$/ },
    ...target.native.map((file) => ({ path: `${bin}/${file}` })),
    { path: 'onnxruntime-common/package.json' },
    { path: 'onnxruntime-common/dist/cjs', matching: /\.js$|package\.json$/ },
  ];
}

const DEVELOPMENT_ONLY = ['scripts', 'devDependencies', 'dependencies', 'bin', 'vsce', 'private'];

/**
 * The manifest as it is shipped: without what only development needs.
 * @param {Record<string, unknown>} manifest package.json
 * @returns {Record<string, unknown>}
 */
export function shippedManifest(manifest) {
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !DEVELOPMENT_ONLY.includes(key)));
}

const ALLOWED = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/package(\.nls(\.[\w-]+)?)?\.json$/,
  /^extension\/(readme|changelog)\.md$/i,
  /^extension\/LICENSE(\.txt|\.md)?$/i,
  /^extension\/media(\/[\w-][\w.-]*)+\.(svg|png|css|md)$/,
  /^extension\/l10n\/[\w.-]+\.json$/,
  /^extension\/dist\/\w+\.cjs$/,
  /^extension\/dist\/pieces\/[\w-]+\.cjs$/,
  /^extension\/dist\/(webview|comparison)\.(js|css)$/,
  /^extension\/dist\/mathmaps\/(base|[a-z]{2})\.json$/,
  /^extension\/dist\/codicons\/codicon\.(css|ttf)$/,
  /^extension\/dist\/THIRD_PARTY_NOTICES\.txt$/,
  /^extension\/dist\/models(\/[\w-][\w.-]*){2,}$/,
  /^extension\/dist\/node_modules\/onnxruntime-(node|common)\//,
];

const REQUIRED = [
  'extension/package.json',
  'extension/dist/extension.cjs',
  'extension/dist/engineProcess.cjs',
  'extension/dist/providerProbe.cjs',
  'extension/dist/checkWorker.cjs',
  'extension/dist/mathWorker.cjs',
  'extension/dist/mathmaps/base.json',
  'extension/dist/mathmaps/en.json',
  'extension/dist/webview.js',
  'extension/dist/comparison.js',
  'extension/dist/THIRD_PARTY_NOTICES.txt',
  'extension/dist/node_modules/onnxruntime-node/package.json',
  'extension/dist/node_modules/onnxruntime-node/dist/index.js',
  'extension/dist/node_modules/onnxruntime-common/dist/cjs/index.js',
];

/**
 * What is wrong with the file list of a finished VSIX; empty when it is right.
 * @param {readonly string[]} files the names in the archive
 * @param {Target} target
 * @returns {readonly string[]} one sentence each
 */
export function packageFaults(files, target) {
  const bin = 'extension/dist/node_modules/onnxruntime-node/bin/';
  const native = target.native.map((file) => `${bin}napi-v6/${target.platform}/${target.arch}/${file}`);
  const present = new Set(files);
  return [
    ...files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file))).map((file) => `${file} doesn't belong into the package.`),
    ...files.filter((file) => /^extension\/dist\/models\/.*\/source\.json$/.test(file)).map((file) => `${file} says where the model was built.`),
    ...files.filter((file) => file.startsWith(bin) && !native.includes(file)).map((file) => `${file} is for another target.`),
    ...[...REQUIRED, ...native].filter((file) => !present.has(file)).map((file) => `${file} is missing.`),
    ...(files.some((file) => /^extension\/dist\/models\/[^/]+\/manifest\.json$/.test(file)) ? [] : ['No bundled model is in the package.']),
  ];
}
